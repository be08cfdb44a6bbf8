"""Reads what a browser or the CRM posts: plain forms of a few kilobytes, nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_BYTES = 16_384
_MOST_FIELDS = 50


async def read_form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded form; of a repeated field the last. Raises HTTPException 413 or 400."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise HTTPException(400) from None
