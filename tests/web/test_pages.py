"""The dashboard over real HTTP, without a browser: who gets in, what is refused, what each page says."""

from __future__ import annotations

import hashlib
import re
import socket
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from siaghsync.state.lock import run_lock
from tests.patience import PATIENCE, wait_for
from tests.web.serving import PASSWORD, SECRET, Served, password_hash, ready, serving, write
from tests.world import Maker, World, finish, holding

HOSTILE = "<script>alert(1)</script>\"&'<b>"


@pytest.fixture(scope="module")
def inside(served: Served) -> Served:
    """Logged in, with a stranger under number 910 in review, whose name is hostile."""
    world = served.world
    code = world.finance.add_contact(Name="مشتری سیاق", Code=910)
    assert code == 910
    world.crm.add_person(nickName=HOSTILE, firstName="", lastName="", customerNumber="910")
    world.json("sync", exit_code=1)
    assert served.log_in().status_code == 303
    return served


def hostile_review(world: World) -> int:
    ((review_id,),) = world.rows("SELECT id FROM reviews WHERE customer_number = '910' AND resolution IS NULL")
    return int(review_id)


# --- coming in ---------------------------------------------------------------------------------------------


def stranger(served: Served) -> Served:
    return Served(served.world, served.process, served.url)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/live",
        "/reviews",
        "/reviews/1",
        "/trail",
        "/links",
        "/runs",
        "/runs/1",
        "/waiting",
        "/record?q=910",
        "/site",
        "/rehearsal",
        "/report",
        "/report.xlsx",
    ],
)
def test_nobody_gets_in_without_a_login(served: Served, path: str) -> None:
    answer = stranger(served).get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=")
    assert "مشتری" not in answer.text


def test_a_login_never_leads_to_a_part_of_a_page(served: Served) -> None:
    assert stranger(served).get("/live").headers["Location"] == "/login?next=/"


def test_a_wrong_password_is_refused_and_guessing_is_slowed_down(small: World) -> None:
    with serving(ready(small)) as served:
        csrf = served.csrf()

        def guess(password: str, **headers: str) -> requests.Response:
            form = {"csrf": csrf, "user": "Z", "password": password, "next": "/"}
            return served.post("/login", form, headers=headers)

        assert [guess(f"guess {n}").status_code for n in range(5)] == [403] * 5
        refused = guess(PASSWORD)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 100
        # Another address is not locked out with the first one; the proxy on this machine says which one it is.
        assert guess(PASSWORD, **{"X-Forwarded-For": "203.0.113.9"}).status_code == 303


def test_attempts_in_parallel_are_counted_before_they_are_checked(small: World) -> None:
    with serving(ready(small)) as served:
        csrf = served.csrf()

        def guess(number: int) -> int:
            form = {"csrf": csrf, "user": "Z", "password": f"guess {number}", "next": "/"}
            return served.post("/login", form).status_code

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(guess, range(32)))
        assert Counter(answers) == {403: 5, 429: 27}


def test_whoever_knows_the_password_may_come_as_often_as_they_like(small: World) -> None:
    with serving(ready(small)) as served:
        for _ in range(7):
            assert stranger(served).log_in().status_code == 303


def test_a_changed_password_ends_the_sessions(small: World) -> None:
    with serving(ready(small)) as served:
        served.log_in()
        cookie = f"siaghsync_session={served.http.cookies['siaghsync_session']}"
        assert served.get("/").status_code == 200
    other = f"scrypt:10:8:1:{bytes(16).hex()}:{bytes(32).hex()}"
    for settings in ({"DASHBOARD_PASSWORD_HASH": other}, {}):
        with serving(ready(small, **settings)) as served:
            assert served.get("/", headers={"Cookie": cookie}).status_code == 303
            assert served.log_in().status_code == (403 if settings else 303)


def test_cookies_are_kept_from_scripts_and_other_sites(served: Served) -> None:
    visitor = stranger(served)
    csrf = visitor.csrf()
    form = {"csrf": csrf, "user": "Z", "password": PASSWORD, "next": "//evil.example/"}
    answer = visitor.post("/login", form, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"].lower()
    assert all(word in cookie for word in ("siaghsync_session=", "httponly", "samesite=strict", "secure", "path=/"))
    plain = visitor.post("/login", {**form, "csrf": visitor.csrf()})
    assert "secure" not in plain.headers["Set-Cookie"].lower()


def test_a_login_without_a_name_or_with_a_forged_form_is_refused(served: Served) -> None:
    visitor = stranger(served)
    csrf = visitor.csrf()
    nameless = visitor.post("/login", {"csrf": csrf, "user": " \u200e", "password": PASSWORD})
    assert nameless.status_code == 400
    forged = visitor.post("/login", {"csrf": "x" * 43, "user": "Z", "password": PASSWORD})
    assert forged.status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (
        visitor.post("/login", {"csrf": csrf, "user": "Z", "password": PASSWORD}, headers=elsewhere).status_code == 403
    )


def test_after_the_logout_the_old_cookie_opens_nothing(inside: Served) -> None:
    visitor = stranger(inside)
    visitor.log_in("Ali")
    key = visitor.http.cookies["siaghsync_session"]
    assert visitor.get("/").status_code == 200
    assert visitor.post("/logout", {"csrf": visitor.csrf("/")}).status_code == 303
    assert visitor.get("/", headers={"Cookie": f"siaghsync_session={key}"}).status_code == 303


def test_without_a_password_the_dashboard_stays_closed_but_webhooks_work(small: World) -> None:
    with serving(ready(small, DASHBOARD_PASSWORD_HASH=""), "--root-path", "/siagh") as served:
        assert served.url.endswith("/siagh")
        for path in ("/", "/login", "/trail"):
            answer = served.get(path)
            assert answer.status_code == 403
            assert "hash-password --dashboard" in answer.text
        assert served.call("identity", str(uuid.UUID(int=1))).status_code == 200


# --- what every answer carries -----------------------------------------------------------------------------


def test_files_have_their_version_in_the_address_and_are_kept_for_long(inside: Served) -> None:
    page = inside.get("/").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) == 5
    for address in addresses:
        answer = inside.get(address)
        version = hashlib.sha256(answer.content).hexdigest()[:12]
        assert address.endswith(f"?{version}")
        assert "immutable" in answer.headers["Cache-Control"]
    assert inside.get("/static/site.css?older").headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("path", ["/", "/login", "/health", "/static/site.css", "/nothing", "/webhook/crm/identity/x"])
def test_every_answer_is_guarded(inside: Served, path: str) -> None:
    answer = inside.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in answer.headers
    if not path.startswith("/static"):
        assert answer.headers["Cache-Control"] == "no-store"


PAGES = [
    "/", "/live", "/reviews", "/reviews/{id}", "/reviews/{id}/confirm?way=discard", "/trail", "/trail?q=910", "/links",
    "/links?of=invoices", "/links?q=910", "/waiting", "/waiting?of=skipped", "/record",
    "/record?q=910", "/record?q=77", "/site", "/runs", "/runs/1", "/nothing", "/reviews/9999", "/runs/9999",
]  # fmt: skip


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_page_runs_a_customers_name_or_shows_a_secret(inside: Served, language: str) -> None:
    world = inside.world
    secrets = {SECRET, PASSWORD, password_hash(), *world.sandbox.secrets()} - {""}
    for page in PAGES:
        path = page.format(id=hostile_review(world))
        answer = inside.get(path, cookies={"siaghsync_language": language})
        assert answer.status_code == (404 if "nothing" in path or "9999" in path else 200), path
        assert HOSTILE not in answer.text
        assert "<script>alert" not in answer.text
        assert not [secret for secret in secrets if secret in answer.text]
        if path != "/live":
            assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in inside.get("/reviews").text


def test_no_persian_page_carries_an_english_sentence(inside: Served) -> None:
    world, persian = inside.world, {"siaghsync_language": "fa"}
    customer = world.crm_of(world.rows("SELECT max(finance_code) FROM customer_mappings")[0][0])
    rows = [
        {"productCode": "", "count": 1, "baseUnitPrice": 100},
        {"productCode": "P", "count": -1, "baseUnitPrice": 100},
    ]
    world.crm.add_quote(customer, rows, number="77", crmObjectTypeCode="PI_5")
    world.run("sync")
    ((faulty,),) = world.rows("SELECT id FROM reviews WHERE entity = 'invoice' AND name = '77'")
    pages = [inside.get(page.format(id=hostile_review(world)), cookies=persian).text for page in PAGES]
    pages.append(inside.get(f"/reviews/{faulty}", cookies=persian).text)
    wrong = {"way": "link", "value": "abc", "csrf": inside.csrf("/")}
    pages.append(inside.post(f"/reviews/{hostile_review(world)}/decide", wrong, cookies=persian).text)
    for page in pages:
        assert '<html lang="fa"' in page or page.startswith('<div id="live"')
        # What others wrote stands in isolation, and so do codes.
        ours = re.sub(r"<(bdi|code|pre)\b.*?</\1>|\u2068[^\u2069]*\u2069|<[^>]*>", " ", page, flags=re.DOTALL)
        assert not re.search(r"[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}", ours), ours


def test_health_says_ok_or_not_and_nothing_else(inside: Served) -> None:
    answer = stranger(inside).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "needs attention"})


# --- deciding ----------------------------------------------------------------------------------------------


def test_a_decision_needs_a_login_a_token_and_a_post(inside: Served) -> None:
    review_id = hostile_review(inside.world)
    path = f"/reviews/{review_id}/decide"
    assert inside.get(path).status_code == 405
    assert inside.post(path, {"way": "discard"}).status_code == 403
    assert inside.post(path, {"way": "discard", "csrf": "wrong"}).status_code == 403
    outsider = stranger(inside)
    assert outsider.post(path, {"way": "discard", "csrf": outsider.csrf()}).headers["Location"].startswith("/login")
    csrf = inside.csrf("/")
    assert inside.post(path, {"way": "delete", "csrf": csrf}).status_code == 400
    assert inside.post(path, {"way": "posted", "value": "7", "csrf": csrf}).status_code == 400
    assert inside.post(path, {"way": "link", "value": "abc", "csrf": csrf}).status_code == 400
    assert "missing" in inside.post(path, {"way": "link", "value": " ", "csrf": csrf}).headers["Location"]
    assert hostile_review(inside.world) == review_id


def test_a_refused_decision_leads_back_to_the_question(inside: Served) -> None:
    review_id = hostile_review(inside.world)
    form = {"way": "posted", "value": "7", "csrf": inside.csrf("/"), "query": "kind=person"}
    answer = inside.post(f"/reviews/{review_id}/decide", form)
    assert answer.status_code == 400
    assert f'href="/reviews/{review_id}?kind=person"' in answer.text


def test_a_decision_waits_for_a_run_and_is_audited_with_the_user(inside: Served) -> None:
    world = inside.world
    crm_id = world.crm.add_person(nickName="تصمیم", firstName="", lastName="", customerNumber="911")
    world.finance.add_contact(Name="کس دیگر", Code=911)
    world.json("sync", exit_code=1)
    ((review_id,),) = world.rows("SELECT id FROM reviews WHERE record = ?", crm_id)
    page = inside.get(f"/reviews/{review_id}").text
    assert 'value="911"' in page
    assert "<mark>" in page
    confirm = inside.get(f"/reviews/{review_id}/confirm?way=link&value=911")
    assert "کس دیگر" in confirm.text
    answer = inside.post(
        f"/reviews/{review_id}/decide",
        {"way": "link", "value": "911", "csrf": inside.csrf(f"/reviews/{review_id}/confirm?way=link&value=911")},
    )
    assert answer.headers["Location"] == "/reviews"
    assert "The decision was saved" in inside.get("/reviews").text
    assert world.code_of(crm_id) == 911
    line = world.rows("SELECT actor, outcome FROM audit WHERE operation = 'resolve' AND crm_id = ?", crm_id)
    assert line == [("Zahra (dashboard)", "link")]
    done = inside.get(f"/reviews/{review_id}").text
    assert "This has been decided" in done
    assert '<form method="get"' not in done
    assert world.json("sync")["customers"]["updated"] == 1


def test_the_overview_follows_a_run_and_the_trail_finds_names_however_they_are_written(inside: Served) -> None:
    world = inside.world
    crm_id = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings WHERE kind = 'person'")[0][0])
    world.crm.edit(crm_id, nickName="کیمیا گران‌بها")
    with holding(world, "SaveFormData"):
        process = world.start("sync")
        wait_for(lambda: "is at work" in inside.get("/live").text)
        assert "every 2s" in inside.get("/live").text
    assert finish(process).exit_code == 0
    assert "is at work" not in inside.get("/live").text
    number = world.rows("SELECT customer_number FROM customer_mappings WHERE crm_id = ?", crm_id)[0][0]
    persian = str(number).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    for words in ("كيميا گران بها", "کیمیا", number, persian, crm_id):
        assert "کیمیا گران‌بها" in inside.get("/trail", params={"q": words}).text, words
    for words in ("%", "_", "\\", "kimia", '"', "name"):
        assert "کیمیا گران‌بها" not in inside.get("/trail", params={"q": words}).text, words


def test_a_run_that_was_killed_is_not_shown_as_running(inside: Served) -> None:
    write(inside.world, "INSERT INTO runs (command, pid, started_at) VALUES ('sync', 1, '2026-01-01T00:00:00+00:00')")
    try:
        assert "broken off" in inside.get("/runs").text
        assert "is at work" not in inside.get("/live").text
        with run_lock(inside.world.state_file):
            assert "is at work" in inside.get("/live").text
    finally:
        write(inside.world, "DELETE FROM runs WHERE finished_at IS NULL")


def test_long_lists_come_in_pages(inside: Served) -> None:
    first = inside.get("/trail").text
    assert first.count("<tr>") <= 51
    for n in range(60):
        write(
            inside.world,
            "INSERT INTO audit (at, actor, entity, name, operation, outcome, customer_number, changes) "
            "VALUES ('2026-01-01T00:00:00.000+00:00', 'x', 'customer', '', 'update', 'done', ?, '{}')",
            f"p{n}",
        )
    page, seen = inside.get("/trail").text, set()
    for _ in range(10):
        seen |= {n for n in range(60) if f">p{n}<" in page}
        older = re.search(r'href="/trail\?q=&amp;(before=\d+)"', page)
        if older is None:
            break
        page = inside.get(f"/trail?{older[1]}").text
    assert seen == set(range(60))


# --- the command -------------------------------------------------------------------------------------------


def test_it_refuses_to_listen_for_others_unprotected(make_world: Maker) -> None:
    world = make_world()
    ended = world.run("serve", "--host", "0.0.0.0", env={"WEBHOOK_SECRET": SECRET, "ENABLE_WEBHOOKS": "true"})
    assert ended.exit_code == 2
    assert "DASHBOARD_PASSWORD_HASH" in ended.stderr
    assert SECRET not in ended.text


def test_a_port_that_is_taken_a_wrong_path_and_a_wrong_host_are_said_in_words(make_world: Maker) -> None:
    world = make_world()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = world.run("serve", "--port", str(taken.getsockname()[1]))
    assert (ended.exit_code, "can't be used" in ended.stderr) == (2, True)
    ended = world.run("serve", "--root-path", "//evil.example")
    assert (ended.exit_code, "is not a valid path" in ended.stderr) == (2, True)


def test_behind_a_proxy_with_a_prefix_every_link_carries_it(small: World) -> None:
    with serving(ready(small), "--root-path", "/siagh/") as served:
        assert served.log_in().headers["Location"] == "/siagh/"
        page = served.get("/").text
        links = [
            part.split('"')[0] for name in ('href="', 'src="', 'action="', 'hx-get="') for part in page.split(name)[1:]
        ]
        assert links
        assert all(link.startswith(("/siagh/", "#")) for link in links)
        # The proxy may have taken the prefix off.
        bare = served.url.removesuffix("/siagh")
        assert served.http.get(f"{bare}/health", timeout=PATIENCE).json() == {"status": "ok"}
        assert served.get("/health").json() == {"status": "ok"}


def test_the_password_for_the_dashboard_is_hashed_into_the_env_file(small: World) -> None:
    world = small.set()
    assert world.run("hash-password", "--dashboard", "--stdin", stdin="short\n").exit_code == 2
    ended = world.run("hash-password", "--dashboard", "--save", "--stdin", stdin=PASSWORD + "\n")
    assert ended.exit_code == 0
    text = world.env_file.read_text("utf-8")
    assert PASSWORD not in text + ended.text
    assert "DASHBOARD_PASSWORD_HASH=scrypt:" in text
    with serving(world) as served:
        assert served.log_in(password="another one").status_code == 403
        assert served.log_in().status_code == 303
