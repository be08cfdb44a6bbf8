"""What a click starts and nobody waits for: in a thread of its own, told in the log if it fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from siaghsync.errors import SiaghsyncError
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg

_MOST_AT_ONCE = 4


class Errands:
    """Threads for such work. `log` writes a line for the administrator."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="errand")

    def start(self, work: Callable[[Callable[[], object]], object]) -> None:
        """Returns as soon as `work` calls what it is given. Raises what kept it from coming so far."""
        began: Future[object] = Future()
        done = self._pool.submit(work, lambda: began.set_result(None))
        wait((began, done), return_when=FIRST_COMPLETED)
        if began.done():
            done.add_done_callback(self._tell)
        else:
            done.result()

    def _tell(self, done: Future[object]) -> None:
        if error := done.exception():
            why = error.message if isinstance(error, SiaghsyncError) else msg("error.bug", type=type(error).__name__)
            self._log(render(msg("web.errand_failed", why=why)))

    def close(self) -> None:
        """Waits for what is under way; whatever it does must know by then that it is to end."""
        self._pool.shutdown()
