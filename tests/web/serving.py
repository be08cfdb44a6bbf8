"""A running `siaghsync serve`, and a browser-like visitor of its dashboard."""

from __future__ import annotations

import hashlib
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

import requests
from requests.adapters import HTTPAdapter

from tests.patience import PATIENCE, wait_for
from tests.world import Process, World

SECRET = "wh-secret-7f3a9c"
PASSWORD = "an honest password"


@cache
def password_hash() -> str:
    """What the env file keeps of PASSWORD, made by cheaper rules than those of `hash-password`."""
    salt = bytes(range(16))
    made = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=2**10, r=8, p=1, dklen=32)
    return f"scrypt:10:8:1:{salt.hex()}:{made.hex()}"


def ready(world: World, **settings: str) -> World:
    """The world with webhooks and a dashboard password switched on."""
    on = {"ENABLE_WEBHOOKS": "true", "WEBHOOK_SECRET": SECRET, "DASHBOARD_PASSWORD_HASH": password_hash()}
    return world.set(**{**on, **settings})


class Served:
    """A `serve` at work in a world."""

    def __init__(self, world: World, process: Process, url: str) -> None:
        self.world = world
        self.process = process
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.mount("http://", HTTPAdapter(pool_maxsize=32))
        self.http.headers["Accept-Language"] = "en"

    def get(self, path: str, **named: object) -> requests.Response:
        """An answer, redirects not followed; from whoever is logged in by `log_in`."""
        return self.http.get(self.url + path, allow_redirects=False, timeout=PATIENCE, **named)  # type: ignore[arg-type]

    def post(self, path: str, data: dict[str, str], **named: object) -> requests.Response:
        """The answer to a form, redirects not followed."""
        return self.http.post(self.url + path, data, allow_redirects=False, timeout=PATIENCE, **named)  # type: ignore[arg-type]

    def csrf(self, path: str = "/login") -> str:
        """The token in the forms of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def log_in(self, user: str = "Zahra", password: str = PASSWORD) -> requests.Response:
        """Sends the login form."""
        return self.post("/login", {"csrf": self.csrf(), "user": user, "password": password, "next": "/"})

    def call(self, item: str, crm_id: str, event: str = "Update", **more: str) -> requests.Response:
        """One call of the CRM, as its contract has it."""
        subtype = {"identity": "مخاطب حقیقی"}.get(item, "فروش")
        params = {"event": event, "id": crm_id, "type": item.capitalize(), "subtype": subtype, **more}
        return self.http.get(f"{self.url}/webhook/crm/{item}/{SECRET}", params=params, timeout=PATIENCE)

    def read_year(self, year: int) -> None:
        """Has the month's end report of a year read, and waits for it."""
        self.post("/report", {"csrf": self.csrf("/report"), "year": str(year)})
        wait_for(lambda: "hx-trigger" not in self.get("/report").text)

    def check_systems(self) -> None:
        """Has both systems checked, which an administrator may, and waits for what comes of it."""
        assert self.post("/site/check", {"csrf": self.csrf("/")}).headers["Location"] == "/site"
        wait_for(lambda: "hx-trigger" not in self.get("/site").text)

    def stored(self) -> int:
        """How many records were told of and not taken up yet."""
        ((count,),) = self.world.rows("SELECT count(*) FROM webhook_events")
        return int(count)

    def is_settled(self) -> bool:
        """Whether everything that was told of has been dealt with."""
        rest = self.world.rows("SELECT 1 FROM retries WHERE reason = 'webhook' UNION ALL SELECT 1 FROM webhook_events")
        unfinished = self.world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL")
        return not rest and not unfinished


@contextmanager
def serving(world: World, *args: str) -> Iterator[Served]:
    """`siaghsync serve` on a free port, stopped in an orderly way at the end, which must go well."""
    process = world.start("--verbose", "serve", "--port", "0", *args)
    assert process.stdout
    assert process.stderr
    url = process.stdout.readline().strip().rstrip("/")
    assert url, process.stderr.read()
    served = Served(world, process, url)
    try:
        yield served
    finally:
        served.http.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        said = process.stderr.read()
        process.communicate()
        assert "bug in siaghsync" not in said, said
        assert SECRET not in said
        assert PASSWORD not in said
        assert "Traceback" not in said, said


def write(world: World, sql: str, *values: object) -> None:
    """Changes the state file behind the program's back."""
    with closing(sqlite3.connect(world.state_file, timeout=PATIENCE)) as db, db:
        db.execute(sql, values)
