"""A message to mail, chat and other services through Apprise, which knows how each of them is spoken to.

Apprise sends with its own means: a proxy of the environment counts there. Its log stays silent, since addresses are secrets.
"""

from __future__ import annotations

import logging
import threading

from siaghsync.clock import monotonic
from siaghsync.messages.message import Message, msg


class NotifyServices:
    """One message on its way in a thread of its own. `urls` are addresses for Apprise, separated by blanks.

    `target` is how people call them. Sending is given up after `seconds` and never holds up the process.
    """

    def __init__(self, target: str, urls: str, title: str, body: str, *, seconds: float = 15.0) -> None:
        self.target = target
        self._until = monotonic() + seconds
        self._trouble: Message | None = msg("notify.failed", target=target, reason="timeout")
        arguments = (urls.split(), title, body)
        self._thread = threading.Thread(target=self._send, args=arguments, name="siaghsync-notify", daemon=True)
        self._thread.start()

    def trouble(self) -> Message | None:
        """Why the message did not arrive everywhere, or None. Waits for the services."""
        self._thread.join(max(0.0, self._until - monotonic()))
        return self._trouble

    def _send(self, urls: list[str], title: str, body: str) -> None:
        import apprise  # optional, and slow to import

        logging.getLogger("apprise").disabled = True
        services = apprise.Apprise()
        known = [url for url in urls if services.add(url)]
        try:
            arrived = not known or bool(services.notify(body, title, body_format=apprise.NotifyFormat.TEXT))
        except Exception:  # noqa: BLE001 - its text may hold an address
            arrived = False
        if not arrived:
            self._trouble = msg("notify.service_failed", target=self.target)
        elif len(known) < len(urls):
            place = next(number for number, url in enumerate(urls, 1) if url not in known)
            self._trouble = msg("notify.service_unknown", target=self.target, place=place)
        else:
            self._trouble = None
