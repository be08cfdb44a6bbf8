"""A server that was slow: what a request asked for is done when nobody waits for its answer any more."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from siaghsync.sandbox import Sandbox
from siaghsync.sandbox.hooks import Entry
from siaghsync.sandbox.wire import encode


def carry_out(sandbox: Sandbox, entry: Entry) -> None:
    """Does now what a request in the journal asked for."""
    users = sandbox.settings()
    if entry.system == "crm":
        login = {"username": users["CRM_USERNAME"], "password": users["CRM_PASSWORD"], "deviceId": "late",
                 "platformType": 1, "os": "", "osVersion": "", "token": ""}  # fmt: skip
        token = f"Bearer {_post(sandbox.crm_url, '/api/v2/auth/login', login)['accessToken']}"
        _post(sandbox.crm_url, entry.path, entry.body, token)
    else:
        login = {"UserName": users["FINANCE_USERNAME"], "Password": users["FINANCE_PASSWORD"]}
        token = _post(sandbox.finance_url, "/GeneralApi/LoginUser", login)["SessionId"]
        _post(sandbox.finance_url, entry.path, entry.body, token)


def _post(root: str, path: str, body: Any, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": token}
    request = urllib.request.Request(root + path, encode(body), headers)
    with urllib.request.urlopen(request) as answer:
        return dict(json.loads(answer.read()))
