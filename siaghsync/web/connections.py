"""Connections that ask for nothing, or for ever begin to: none is held for long, and they never keep out who does ask."""

from __future__ import annotations

import asyncio
from operator import itemgetter

from uvicorn.protocols.http.h11_impl import H11Protocol

_SECONDS = 20
"""For a whole request, head and body. Whoever takes nothing of an answer for so long is given up too."""
_MOST_WAITING = 500
"""So many connections may be in the middle of a request; then the one that is at it longest makes room."""


class TimedProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, within a time limit."""

    _limit: asyncio.TimerHandle | None = None
    _untaken = 0
    """Bytes of an answer that were still to be taken when the time began."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        self._begin()
        waiting = [
            (each._limit.when(), each)
            for each in self.connections
            if isinstance(each, TimedProtocol) and each._limit and not each._untaken
        ]
        if len(waiting) > _MOST_WAITING:
            min(waiting, key=itemgetter(0))[1]._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._end()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Something has come."""
        super().handle_events()
        self._watch()

    def pause_writing(self) -> None:
        """What was written is not being taken."""
        super().pause_writing()
        self._begin()

    def resume_writing(self) -> None:
        """It has been taken."""
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Time counts unless the whole request is here and this side has to answer it."""
        if self.cycle and not self.cycle.more_body and not self.cycle.response_complete:
            self._end()
        else:
            self._begin()

    def _begin(self) -> None:
        if self._limit is None:
            self._untaken = self.transport.get_write_buffer_size()
            self._limit = self.loop.call_later(_SECONDS, self._late)

    def _end(self) -> None:
        if self._limit:
            self._limit.cancel()
            self._limit = None

    def _late(self) -> None:
        self._limit = None
        if self.transport.get_write_buffer_size() < self._untaken:  # a slow line
            self._begin()
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._end()
        self.transport.abort()
