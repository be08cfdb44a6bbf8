"""A trial message to every channel that is set, so that nobody learns on a bad day that an address is wrong."""

from __future__ import annotations

import json

from siaghsync.connectors.http.notify_post import NotifyPost
from siaghsync.connectors.http.notify_services import NotifyServices
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.settings import Settings


def send_trial(settings: Settings) -> dict[str, Message | None]:
    """Sends a trial message to each channel that is set: name of the setting -> why it did not go out, or None.

    The monitor's `/log` takes note and counts as no run, so that a trial doesn't hide that cron has stopped.
    """
    text, text_fa = (render(msg("notify.trial"), language) for language in ("en", "fa"))
    sent: list[NotifyPost | NotifyServices] = []
    if url := settings.healthcheck_url.get_secret_value():
        sent.append(NotifyPost("HEALTHCHECK_URL", f"{url}/log", text.encode()))
    if url := settings.alert_url.get_secret_value():
        document = {"source": "siaghsync", "text": text, "text_fa": text_fa, "items": [], "more": 0, "trial": True}
        body = json.dumps(document, ensure_ascii=False).encode()
        sent.append(NotifyPost("ALERT_URL", url, body, "application/json"))
    if urls := settings.notify_urls.get_secret_value():
        sent.append(NotifyServices("NOTIFY_URLS", urls, text, f"{text_fa}\n\n{text}"))
    return {each.target: each.trouble() for each in sent}
