"""What waits for a person as a work list: found, ticked, decided one after the other and together."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

import pytest

from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.sandbox import Sandbox
from siaghsync.state.database import memory_state
from siaghsync.state.reviews import Review
from siaghsync.sync.decisions import Decision, check
from siaghsync.web.worklist import cost, items_of
from tests.patience import wait_for
from tests.web.serving import Served, ready, serving
from tests.world import World, finish, holding

COUNT = 60
OTHERS = 7
WORDS = "کد ملی با اطلاعات ثبت احوال نمی‌خواند"
TWINS = ("بهرام دادگر", "شهرزاد نیکخواه")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Sixty quotes without a product code, each of another amount, a stranger, two customers under one number, and a quote of
    which nobody knows whether it was posted; somebody is logged in."""
    with Sandbox(4, also_in_crm=4) as sandbox:
        world = ready(World(tmp_path_factory.mktemp("listed"), sandbox), MAX_RETRY_ATTEMPTS="1").imported()
        customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
        sold = {"productCode": "P-1", "count": 2, "baseUnitPrice": 400}
        quote = world.crm.add_quote(
            customer, [sold, {**sold, "productCode": "P-2"}], number="C-1", crmObjectTypeCode="PI_5"
        )
        said = {"Errors": [{"Description": WORDS, "ErrorCode": -1}], "ReturnValue": False, "FinalMessages": []}
        world.arm("json", "finance:SaveFormData/create", body=json.dumps(said).encode())
        world.crm.add_person(nickName="آنکه نشد", firstName="", lastName="", customerNumber="952")
        world.json("sync", exit_code=1)
        world.crm.edit(quote, details=[{**sold, "count": 3}, {**sold, "productCode": "P-3"}])
        for n in range(COUNT):
            row = {"productCode": "", "count": 1, "baseUnitPrice": 1000 * (n + 1)}
            world.crm.add_quote(customer, [row], number=f"W-{n}", crmObjectTypeCode="PI_5")
        world.finance.add_contact(Name="شرکت ديگر", Code=950)
        world.finance.add_contact(Name="دارندهٔ شماره", Code=960, MobileNo="09120000001")
        phone = {"phoneNumber": "09120000001", "phoneType": "Mobile", "default": True}
        world.crm.add_person(nickName="بی‌شماره", firstName="", lastName="", customerNumber="961", phoneContacts=[phone])
        world.crm.add_person(nickName="كيميا گران‌بها", firstName="", lastName="", customerNumber="950")
        for name in TWINS:
            world.crm.add_person(nickName=name, firstName="", lastName="", customerNumber="951")
        row = {"productCode": "P-1", "count": 1, "baseUnitPrice": 700}
        world.crm.add_quote(customer, [row], number="D-1", crmObjectTypeCode="PI_5")
        world.arm("reset_after", "finance:SaveFormData/preinvoice")
        world.json("sync", exit_code=1)
        with serving(world) as served:
            served.log_in()
            yield served


def shown(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'name="id" value="(\d+)"', page)]


def of(world: World, name: str) -> int:
    ((found,),) = world.rows("SELECT max(id) FROM reviews WHERE name = ?", name)
    return int(found)


def question(review_id: int, **named: Any) -> Review:
    """An open question about a customer."""
    told: dict[str, Any] = {
        "entity": "customer", "target": "finance", "record": "r", "kind": "person", "reason": "stranger", "crm_id": "r",
        "customer_number": "31", "finance_code": None, "name": "n", "message": msg("reason.no_name"), "details": {},
        "checksum": "", "since": "2026-01-01T00:00:00.000+00:00", "resolution": None, "resolved_at": None, "resolved_by": None,
    }  # fmt: skip
    return Review(id=review_id, **{**told, **named})


def plain(page: str) -> str:
    """A page without the marks that keep a value's direction."""
    return re.sub("[\u2068\u2069]", "", page)


def open_ids(world: World) -> list[int]:
    sql = "SELECT id FROM reviews WHERE resolution IS NULL AND id NOT IN (SELECT review_id FROM decisions) ORDER BY id"
    return [found for (found,) in world.rows(sql)]


def test_the_list_comes_in_pages_and_cuts_nothing_off(listed: Served) -> None:
    first, second = listed.get("/reviews").text, listed.get("/reviews?page=2").text
    assert len(shown(first)) == 50
    assert shown(first) + shown(second) == open_ids(listed.world)
    assert f'<span class="badge">{COUNT + OTHERS}</span>' in listed.get("/runs").text
    assert f"({COUNT + OTHERS})" in re.findall(r"<title>(.*?)</title>", first)[0].replace("\u2068", "").replace(
        "\u2069", ""
    )


def test_groups_have_counts_and_sums(listed: Served) -> None:
    page = listed.get("/reviews?reason=row_without_product").text
    total = sum(1000 * (n + 1) for n in range(COUNT))
    sums = {text.replace(",", "").replace("٬", "") for text in re.findall(r'<td class="n">([\d,٬]+)</td>', page)}
    assert {str(COUNT), str(total)} <= sums or {str(COUNT), str(total * 11 // 10)} <= sums


@pytest.mark.parametrize("text", ["کیمیا", "كيميا گران بها", "950", "۹۵۰", "٩٥٠"])
def test_text_is_found_however_it_is_written(listed: Served, text: str) -> None:
    assert len(shown(listed.get("/reviews", params={"q": text}).text)) == 1


def test_the_list_is_narrowed_down_and_sorted(listed: Served) -> None:
    assert len(shown(listed.get("/reviews?kind=quote").text)) == 50
    people = [of(listed.world, name) for name in ("كيميا گران‌بها", *TWINS, "آنکه نشد", "بی‌شماره")]
    assert shown(listed.get("/reviews?kind=person").text) == sorted(people)
    assert shown(listed.get("/reviews?days=7").text) == []
    assert shown(listed.get("/reviews?sort=amount").text)[0] == of(listed.world, f"W-{COUNT - 1}")


def test_two_customers_under_one_number_are_decided_one_by_one(listed: Served) -> None:
    one, other = (of(listed.world, name) for name in TWINS)
    assert set(shown(listed.get("/reviews?reason=number_twice").text)) == {one, other}
    page = listed.get(f"/reviews/confirm?way=retry&id={one}&reason=number_twice").text
    assert TWINS[0] in page
    assert TWINS[1] not in page


def test_the_records_that_share_a_number_stand_side_by_side(listed: Served) -> None:
    page = plain(listed.get(f"/reviews/{of(listed.world, TWINS[0])}").text)
    (heads,) = re.findall(r'<table class="sides.*?</thead>', page, re.DOTALL)
    assert re.findall("<th>(.*?)</th>", heads)[1:] == ["CRM record", "Other CRM record 1"]
    (names,) = re.findall(r'<tr><th scope="row">name</th>(.*?)</tr>', page)
    assert re.findall("<bdi>(.*?)</bdi>", names) == list(TWINS)


def test_closing_several_says_which_customers_stay_out_of_finance(listed: Served) -> None:
    one, other = (of(listed.world, name) for name in TWINS)
    page = plain(listed.get(f"/reviews/confirm?way=discard&id={one}&id={other}").text)
    assert "Customers of this list that are not linked with anybody in Siagh: 2" in page
    assert "not linked" not in listed.get(f"/reviews/confirm?way=retry&id={one}&id={other}").text


def test_the_questions_about_one_customer_are_one_item() -> None:
    first = question(1, crm_id="a", record="a", customer_number="31")
    second = question(2, target="crm", crm_id="a", record="7", customer_number="31")
    other = question(3, crm_id="b", record="b", customer_number="31")
    unknown = question(4, target="crm", crm_id=None, record="b", customer_number="31")
    items = items_of([first, second, other, unknown], {})
    assert [[review.id for review in item.reviews] for item in items] == [[1, 2], [3], [4]]


def test_the_stranger_is_not_suggested_and_the_confirmation_says_what_is_overwritten(listed: Served) -> None:
    review_id = of(listed.world, "كيميا گران‌بها")
    page = listed.get(f"/reviews/{review_id}").text
    (button,) = re.findall(r'<button name="value" value="950"[^>]*>.*?</button>', page)
    assert "primary" not in button
    assert "شرکت ديگر" in button
    confirm = listed.get(f"/reviews/{review_id}/confirm?way=link&value=950").text
    assert "will be overwritten" in confirm
    closing = plain(listed.get(f"/reviews/{review_id}/confirm?way=discard").text)
    assert "neither this customer nor their documents reach Siagh" in closing
    assert "كيميا گران‌بها" in confirm


def test_a_decision_goes_on_to_the_next_item_and_says_what_it_costs(listed: Served) -> None:
    world, query = listed.world, "reason=row_without_product"
    first, second = shown(listed.get(f"/reviews?{query}").text)[:2]
    assert f"1 of {COUNT}" in plain(listed.get(f"/reviews/{first}?{query}").text)
    page = listed.get(f"/reviews/{first}/confirm?way=discard&{query}").text
    assert "will not reach Siagh" in page
    form = {"way": "discard", "csrf": listed.csrf("/"), "query": query}
    assert listed.post(f"/reviews/{first}/decide", form).headers["Location"] == f"/reviews/{second}?{query}"
    # It can be taken back, and is on the list again.
    listed.post(f"/reviews/{first}/reopen", {"csrf": listed.csrf("/")})
    assert first in open_ids(world)


def test_siaghs_own_words_stand_first_on_a_line_of_their_own(listed: Served) -> None:
    page = listed.get(f"/reviews/{of(listed.world, 'آنکه نشد')}").text
    assert f'<p class="own-words" dir="rtl">{WORDS}</p>' in page
    assert page.index(WORDS) < page.index('class="advice"')


def test_who_has_a_phone_number_is_a_link_to_the_record(listed: Served) -> None:
    page = listed.get(f"/reviews/{of(listed.world, 'بی‌شماره')}").text
    (link,) = re.findall(r'<a href="(/record\?q=960)">(.*?)</a>', page)
    assert "دارندهٔ شماره" in link[1]


def test_the_note_to_look_for_can_be_copied(listed: Served) -> None:
    notes = [each.fields["tozihat"] for each in listed.world.finance.preinvoices]
    (note,) = [each for each in notes if "D-1" in each]
    page = html.unescape(listed.get(f"/reviews/{of(listed.world, 'D-1')}").text)
    assert f'readonly dir="auto" value="{note}"' in page
    assert f'data-copy="{note}"' in page


def test_what_was_posted_and_what_the_document_says_now_stand_side_by_side(listed: Served) -> None:
    page = plain(listed.get(f"/reviews/{of(listed.world, 'C-1')}").text)
    rows = [
        (head, re.findall(r"<td class=.(\w*)[^>]*>(?:<mark>)?<bdi>(.*?)</bdi>", cells))
        for head, cells in re.findall(r"<th scope=.row.>(\d · [^<]*)</th>(.*?)</tr>", page)
    ]
    assert ("1 · product code", [("", "P-1"), ("", "P-1")]) in rows
    assert ("1 · quantity", [("", "2"), ("differs", "3")]) in rows
    assert ("2 · product code", [("", "P-2"), ("differs", "P-3")]) in rows
    assert ("2 · quantity", [("", "2"), ("", "2")]) in rows


@pytest.mark.parametrize("entity", ["customer", "invoice"])
@pytest.mark.parametrize("reason", Reason)
def test_what_is_offered_is_not_refused_and_nothing_else_is_offered(reason: Reason, entity: str) -> None:
    asked = question(1, entity=entity, reason=str(reason))
    with closing(memory_state()) as state:
        for way in set(Resolution) - {Resolution.SETTLED}:
            with nullcontext() if way in asked.ways_out else pytest.raises(UsageError):
                check(state, asked, Decision(way, "2488"))


def test_closing_what_may_stand_in_siagh_says_that_nobody_knows(listed: Served) -> None:
    page = listed.get(f"/reviews/{of(listed.world, 'D-1')}/confirm?way=discard").text
    assert "does not know whether it stands in Siagh already" in page
    assert "will not reach Siagh" not in page


def test_the_sum_of_what_is_lost_is_that_of_what_is_lost(listed: Served) -> None:
    world = listed.world
    ticked = "&".join(f"id={of(world, name)}" for name in ("W-0", "W-1", "D-1", TWINS[0]))
    page = plain(listed.get(f"/reviews/confirm?way=discard&{ticked}").text)
    assert "Documents of this list that will not reach Siagh: 2, together 3,000 rials" in page
    assert "Documents of this list that the program will not post: 1, together 700 rials" in page
    retried = listed.get(f"/reviews/confirm?way=retry&{ticked}").text
    assert "not reach Siagh" not in retried
    assert "posts it twice" in retried


@pytest.mark.parametrize("details", [{"posted": {"number": "5"}}, {}])
def test_closing_what_stands_in_siagh_costs_nothing(details: dict[str, Any]) -> None:
    reason = "changed_after_posting" if details else "net_differs"
    assert cost(question(1, entity="invoice", reason=reason, details=details), "discard") == ""


def test_many_are_decided_at_once_and_what_does_not_fit_is_left_out(listed: Served) -> None:
    world = listed.world
    ids = [of(world, "W-2"), of(world, "W-3"), of(world, "كيميا گران‌بها")]
    ticked = "&".join(f"id={one}" for one in ids)
    assert listed.get(f"/reviews/confirm?way=link&{ticked}").status_code == 400
    assert listed.get(f"/reviews/confirm?way=corrected&{ticked}").headers["Location"].startswith("/reviews")
    page = listed.get(f"/reviews/confirm?way=discard&{ticked}&kind=quote").text
    assert "Documents of this list that will not reach Siagh: 2" in plain(page)
    found = re.search(r'name="ids" value="([\d ]+)"', page)
    assert found
    assert [int(one) for one in found[1].split()] == sorted(ids[:2])
    form = {"way": "discard", "csrf": listed.csrf("/"), "ids": found[1], "query": "kind=quote"}
    assert listed.post("/reviews/decide", form).headers["Location"] == "/reviews?kind=quote"
    assert not set(ids[:2]) & set(open_ids(world))
    assert ids[2] in open_ids(world)


def test_what_is_refused_stops_nothing_and_is_said(listed: Served) -> None:
    world, changed, early = listed.world, of(listed.world, "C-1"), of(listed.world, "W-5")
    # The first is refused because of its reason, the second was decided by somebody else, the last never was.
    world.run("review", "resolve", str(early), "--discard")
    ids = [of(world, "W-6"), early, changed, 123456]
    form = {"way": "corrected", "csrf": listed.csrf("/"), "ids": " ".join(map(str, ids)), "query": ""}
    assert listed.post("/reviews/decide", form).status_code == 303
    page = plain(listed.get("/reviews").text)
    assert "Decisions saved: 1" in page
    assert "Refused (3)" in page
    assert f"--corrected is not possible for review {ids[0]}" in page
    assert f"Review {early} was decided already" in page
    assert "There is no review 123456" in page
    assert ids[0] in open_ids(world)
    assert world.rows("SELECT resolution FROM reviews WHERE id = ?", changed) == [("corrected",)]


def test_any_number_of_ids_can_be_decided(listed: Served) -> None:
    ids = " ".join(str(200_000 + n) for n in range(5000))
    form = {"way": "discard", "csrf": listed.csrf("/"), "ids": f"{of(listed.world, 'W-7')} {ids}", "query": ""}
    assert listed.post("/reviews/decide", form).status_code == 303
    assert of(listed.world, "W-7") not in open_ids(listed.world)
    listed.get("/reviews")


def test_a_decision_during_a_run_is_stored_and_can_be_taken_back(listed: Served) -> None:
    world, review_id = listed.world, of(listed.world, "W-4")
    with holding(world, "login"):
        process = world.start("sync")
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL"))
        form = {"way": "discard", "csrf": listed.csrf("/"), "ids": f"123456 {review_id}", "query": ""}
        assert listed.post("/reviews/decide", form).status_code == 303
        page = listed.get("/reviews").text
        assert "Decisions stored while a run is at work: 1" in plain(page)
        assert "There is no review 123456" in plain(page)
        assert f"/reviews/{review_id}/reopen" in page
        assert review_id not in open_ids(world)
        assert 'id="ways-out"' not in listed.get(f"/reviews/{review_id}").text
        listed.post(f"/reviews/{review_id}/reopen", {"csrf": listed.csrf("/")})
        assert review_id in open_ids(world)
    finish(process)


def test_a_decision_that_was_acted_on_offers_no_way_back(listed: Served) -> None:
    world, review_id = listed.world, of(listed.world, "D-1")
    form = {"way": "retry", "csrf": listed.csrf("/"), "ids": str(review_id), "query": ""}
    assert listed.post("/reviews/decide", form).status_code == 303
    assert "/reopen" in listed.get(f"/reviews/{review_id}").text
    world.run("sync")
    assert "/reopen" not in listed.get(f"/reviews/{review_id}").text


def test_a_retry_that_would_only_ask_again_says_so(listed: Served) -> None:
    for name, is_look in (("W-9", True), ("آنکه نشد", False)):
        page = plain(listed.get(f"/reviews/{of(listed.world, name)}").text)
        assert ("Look again" in page, "Try again" in page) == (is_look, not is_look), name


def test_an_error_after_a_decision_leads_back_to_where_it_was_made(listed: Served) -> None:
    one, csrf = f"/reviews/{of(listed.world, 'W-9')}", listed.csrf("/")
    for path, form, back in (
        ("/reviews/decide", {"csrf": csrf, "way": "link", "query": "kind=quote"}, "/reviews?kind=quote"),
        (f"{one}/decide", {"csrf": "old", "way": "retry", "query": "kind=quote"}, f"{one}?kind=quote"),
        (f"{one}/decide", {"csrf": csrf, "way": "corrected", "query": ""}, one),
        ("/reviews/999999/decide", {"csrf": csrf, "way": "retry"}, "/reviews"),
    ):  # fmt: skip
        answer = listed.post(path, form)
        assert answer.status_code >= 400
        assert f'href="{back}"' in answer.text.split("<main")[1], path


def test_each_problem_of_the_overview_is_a_link_to_where_it_is_told(listed: Served) -> None:
    section = listed.get("/live").text.split('class="state bad"')[1].split("</section>")[0]
    assert section.count("<li>") == section.count('<li><a href="/') > 0


def test_what_a_question_names_can_be_followed(listed: Served) -> None:
    page = listed.get(f"/reviews/{of(listed.world, TWINS[0])}").text
    ((other,),) = listed.world.rows("SELECT crm_id FROM reviews WHERE name = ?", TWINS[1])
    assert re.search(rf'href="/record\?q={other}"><bdi>{TWINS[1]}</bdi>', page)
    assert 'href="/record?q=951"' in page
    assert f'href="/record?q={other}"' not in listed.get("/record", params={"q": "nothing"}).text
    assert TWINS[1] in listed.get("/record", params={"q": other}).text
    ((number,),) = listed.world.rows("SELECT finance_number FROM posted_documents WHERE crm_number = 'C-1'")
    for path in (f"/reviews/{of(listed.world, 'C-1')}", "/trail?q=C-1"):
        assert f'href="/record?q={number}"' in listed.get(path).text, path


def test_the_ways_out_follow_the_advice(listed: Served) -> None:
    page = listed.get(f"/reviews/{of(listed.world, 'كيميا گران‌بها')}").text
    between = page.partition('class="advice"')[2].partition('id="ways-out"')[0]
    assert between
    assert not re.search("<h2|<dl|<p", between)


def test_nothing_urges_to_a_link_that_the_evidence_is_against(listed: Served) -> None:
    path = f"/reviews/{of(listed.world, 'كيميا گران‌بها')}/confirm"
    assert "primary" not in listed.get(f"{path}?way=link&value=950").text
    assert "primary" in listed.get(f"{path}?way=retry").text


def test_the_groups_are_folded_once_one_is_chosen(listed: Served) -> None:
    assert re.search(r"<details[^>]* open>", listed.get("/reviews").text)
    assert not re.search(r"<details[^>]* open>", listed.get("/reviews?reason=stranger").text)
