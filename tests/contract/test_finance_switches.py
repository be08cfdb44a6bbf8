"""Each switch of the stand-in finance system in each of its positions."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from siaghsync.sandbox import Sandbox
from tests.contract.client import FORM_KEYS, GET_ALL, Client, cells, ctrl, post
from tests.patience import PATIENCE


def saved(answer: Any) -> bool:
    assert isinstance(answer["ReturnValue"], bool)
    return bool(answer["ReturnValue"])


def created(client: Client, **values: str) -> dict[str, Any]:
    """The contact that a create with these form values makes, as it is stored."""
    answer = client.save(ctrl(**values))
    assert saved(answer), answer
    return client.sandbox.finance.contacts[int(answer["ReturnCode"])]


def net_of(answer: Any) -> str:
    assert saved(answer), answer
    return str(answer["Errors"][0]["Description"]).rpartition(": ")[2]


# ---- sessions, names ----


def test_a_session_ends_after_its_life(sandbox: Sandbox, client: Client) -> None:
    assert client.contacts() == []
    sandbox.finance.session_seconds = 0.0
    user = sandbox.finance.user
    login = client.siagh("/GeneralApi/LoginUser", {"UserName": user.name, "Password": user.hash})
    client.finance_session.headers["Authorization"] = login.json()["SessionId"]
    assert client.siagh(GET_ALL, {}).status_code == 401


def test_a_session_posts_in_its_fiscal_year(sandbox: Sandbox, client: Client) -> None:
    user = sandbox.finance.user
    body = {"UserName": user.name, "Password": user.hash}
    for year in (1404, 1399):
        sandbox.finance.fiscal_year = year
        assert client.siagh("/GeneralApi/LoginUser", body).json()["FiscalYear"] == year


def test_another_year_is_refused_or_taken(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    assert not saved(post(client, code, salmali="1399"))
    sandbox.finance.refuses_other_year = False
    assert saved(post(client, code, salmali="1399"))


def test_names_are_in_pascal_or_camel_case(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.add_contact(Name="a")
    assert client.contacts()[0]["Name"] == "a"
    sandbox.finance.camel_case = True
    assert client.contacts()[0]["name"] == "a"


def test_latency_holds_every_answer_back(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.latency = 60.0
    with pytest.raises(requests.ReadTimeout):
        client.siagh(GET_ALL, {}, timeout=0.2)


# ---- reading contacts ----


def test_codes_are_texts_or_numbers(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.add_contact(Name="a", CityCode=7, Gender="1", CountryCode="تهران", GeographicCode=None)
    names = ("CityCode", "Gender", "CountryCode", "GeographicCode")
    assert [client.contacts()[0][name] for name in names] == ["7", "1", "تهران", None]
    sandbox.finance.codes_as = "number"
    assert [client.contacts()[0][name] for name in names] == [7, 1, "تهران", None]


def test_a_contacts_kind_can_be_told_the_other_way_round(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.add_contact(Name="شرکت", TowardType=True)
    assert client.contacts()[0]["TowardType"] is True
    sandbox.finance.toward_type_reversed = True
    assert client.contacts()[0]["TowardType"] is False


def test_account_parties_are_null_the_code_or_another_number(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    sandbox.finance.add_contact(Name="b", AccountPartyCode=77)
    shown = []
    positions: list[Any] = ["null", "code", "other"]
    for position in positions:
        sandbox.finance.account_party = position
        shown.append([contact["AccountPartyCode"] for contact in client.contacts()])
    assert shown == [[None, 77], [code, 77], [5_500_000 + code, 77]]


def test_filters_and_what_becomes_of_others(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.add_contact(Name="a", NationalCode="1")
    sandbox.finance.add_contact(Name="b", NationalCode="2")
    assert len(client.contacts(NationalCode="2")) == 2
    sandbox.finance.unknown_filter = "refuse"
    assert not saved(client.contacts(NationalCode="2"))
    sandbox.finance.filters = {"NationalCode"}
    assert [contact["Name"] for contact in client.contacts(NationalCode="2")] == ["b"]


def test_tmpid_is_shown_or_not(sandbox: Sandbox, client: Client) -> None:
    created(client, tmpid="12345")
    assert client.contacts()[0]["tmpid"] is None
    sandbox.finance.shows_tmpid = True
    assert client.contacts()[0]["tmpid"] == "12345"


# ---- writing contacts ----


@pytest.mark.parametrize(
    ("key", "name"),
    [("passno", "NationalCode"), ("tmpid", "tmpid"), ("codeostan", "GeographicCode"), ("tozihat", "Description")],
)
def test_a_key_is_stored_or_not(sandbox: Sandbox, client: Client, key: str, name: str) -> None:
    assert created(client, **{key: "77x"})[name] == "77x"
    sandbox.finance.ignored_keys = {f"gn_web_users.{key}"}
    assert created(client, **{key: "77x"})[name] is None


def test_tmpid_can_be_stored_under_either_spelling_only(sandbox: Sandbox, client: Client) -> None:
    def stored(spelled: str) -> Any:
        answer = client.save(f"gn_web_users.fullname=a|{spelled}=9")
        return sandbox.finance.contacts[int(answer["ReturnCode"])]["tmpid"]

    assert [stored("tmpid"), stored("gn_web_users.tmpid")] == ["9", "9"]
    sandbox.finance.ignored_keys = {"gn_web_users.tmpid"}
    assert [stored("tmpid"), stored("gn_web_users.tmpid")] == ["9", None]
    sandbox.finance.ignored_keys = {"tmpid"}
    assert [stored("tmpid"), stored("gn_web_users.tmpid")] == [None, "9"]


def test_an_empty_key_empties_its_field_or_not(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a", Email="a@example.com")
    sandbox.finance.empty_key_empties = False
    client.save(ctrl(code), f"CodeMain={code}")
    assert sandbox.finance.contacts[code]["Email"] == "a@example.com"
    sandbox.finance.empty_key_empties = True
    client.save(ctrl(code), f"CodeMain={code}")
    assert sandbox.finance.contacts[code]["Email"] == ""


def test_an_update_with_fewer_keys_keeps_the_others_or_empties_them(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a", Email="a@example.com", TowardType=True, FatherName="f")
    form = f"Param1={code}|gn_web_users.address=x"
    client.save(form, f"CodeMain={code}")
    assert sandbox.finance.contacts[code]["Email"] == "a@example.com"
    sandbox.finance.update_keeps = False
    client.save(form, f"CodeMain={code}")
    contact = sandbox.finance.contacts[code]
    assert (contact["Email"], contact["Address"]) == (None, "x")
    assert (contact["Name"], contact["TowardType"], contact["FatherName"]) == ("a", True, "f")


def test_an_address_can_be_shortened_silently(sandbox: Sandbox, client: Client) -> None:
    assert created(client, address="خیابان نمونه")["Address"] == "خیابان نمونه"
    sandbox.finance.shortens = {"Address": 6}
    assert created(client, address="خیابان نمونه")["Address"] == "خیابان"


def test_letters_can_be_left_out_silently(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.drops = {"Address": "،ن"}
    assert created(client, address="خیابان، نمونه")["Address"] == "خیابا موه"


def test_no_phone_need_be_unique(sandbox: Sandbox, client: Client) -> None:
    created(client, mobileno="0900", telno="021")
    sandbox.finance.unique_phones = ("TelNo",)
    created(client, mobileno="0900")
    assert not saved(client.save(ctrl(telno="021")))
    sandbox.finance.unique_phones = ()
    created(client, mobileno="0900", telno="021")


def test_phones_are_compared_each_or_across(sandbox: Sandbox, client: Client) -> None:
    created(client, mobileno="0900")
    created(client, telno="0900")
    sandbox.finance.delete(max(sandbox.finance.contacts))
    sandbox.finance.phones_compared = "across"
    assert client.save(ctrl(telno="0900"))["Errors"][0]["Description"] == "شماره تلفن نمی تواند تکراری باشد."
    assert not saved(client.save(ctrl(mobileno="0900")))


@pytest.mark.parametrize(
    ("position", "taken"),
    [("exact", ["0912 000"]), ("digits", ["0912 000", "0912000"]), ("national", ["0912 000", "0912000", "+98912000"])],
)
def test_phones_are_compared_by_a_spelling(sandbox: Sandbox, client: Client, position: Any, taken: list[str]) -> None:
    code = sandbox.finance.add_contact(Name="a", MobileNo="0912 000")
    sandbox.finance.phone_spelling = position
    for spelled in ("0912 000", "0912000", "+98912000"):
        assert saved(client.save(ctrl(mobileno=spelled))) is (spelled not in taken)
        for made in sandbox.finance.contacts.keys() - {code}:
            sandbox.finance.delete(made)


def test_refusals_are_full_or_short(sandbox: Sandbox, client: Client) -> None:
    created(client, mobileno="0900")
    full = client.save(ctrl(mobileno="0900"))
    assert full.keys() == {"Errors", "FinalMessages", "ReturnValue", "ReturnCode", "ReturnParams"}
    assert len(full["Errors"][0]) == 8
    sandbox.finance.refusals = "short"
    short = client.save(ctrl(mobileno="0900"))
    assert short == {
        "Errors": [{"ColName": "", "Description": "شماره موبایل نمی تواند تکراری باشد.", "ErrorCode": -1}],
        "ReturnValue": False,
    }


def test_a_success_can_bear_a_warning(sandbox: Sandbox, client: Client) -> None:
    assert client.save(ctrl())["Errors"] == []
    sandbox.finance.warning = "کد ملی خالی است"
    answer = client.save(ctrl())
    assert saved(answer)
    assert [(each["ErrorType"], each["Description"]) for each in answer["Errors"]] == [
        ("ErrWarning", "کد ملی خالی است")
    ]


def test_a_strict_siagh_takes_the_documented_forms(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.strict = True
    code = int(client.save(ctrl())["ReturnCode"])
    assert saved(client.save(ctrl(code, email="a"), f"CodeMain={code}"))
    assert saved(post(client, code))
    assert not saved(client.save(ctrl() + "|tmpid="))
    assert not saved(client.save("|".join(f"gn_web_users.{key}=" for key in FORM_KEYS)))
    sandbox.finance.strict = False
    assert saved(client.save(ctrl() + "|tmpid="))


# ---- pre-invoices ----


def test_a_customer_is_a_party_or_a_contact(sandbox: Sandbox, client: Client) -> None:
    first, second = (sandbox.finance.add_contact(Name=name) for name in "ab")
    sandbox.finance.edit(first, AccountPartyCode=second)  # whoever sends the contact's code of one meets the other
    landed: dict[str, list[int | None]] = {}
    positions: list[Any] = ["either", "party", "contact"]
    for position in positions:
        sandbox.finance.customer_key = position
        landed[position] = []
        for contact in ("", str(first)):
            answer = post(client, second, codecontact=contact)
            landed[position].append(sandbox.finance.preinvoices[-1].customer if saved(answer) else None)
    assert landed == {"either": [second, first], "party": [first, first], "contact": [second, second]}


def test_a_customer_that_is_unknown_in_the_world_that_it_is_is_refused(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    sandbox.finance.account_party = "other"
    sandbox.finance.customer_key = "party"
    assert "مشتری" in post(client, code)["Errors"][0]["Description"]
    assert saved(post(client, 5_500_000 + code))
    sandbox.finance.customer_key = "contact"
    assert "مشتری" in post(client, 5_500_000 + code)["Errors"][0]["Description"]
    assert saved(post(client, code))


def test_of_contacts_with_one_party_the_named_one_is_meant(sandbox: Sandbox, client: Client) -> None:
    first, second = (sandbox.finance.add_contact(Name=name, AccountPartyCode=5) for name in "ab")
    for contact, landed in (("", first), (str(second), second)):
        sandbox.finance.customer_key = "party"
        assert saved(post(client, 5, codecontact=contact))
        assert sandbox.finance.preinvoices[-1].customer == landed


def test_numbers_as_texts_are_read_or_refused(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    texts = cells(qty="1.5", finalqty="1.5", price="100", mabtakhfif="0")
    assert net_of(post(client, code, texts)) == "150"
    sandbox.finance.text_amounts = "refuse"
    assert not saved(post(client, code, texts))
    assert net_of(post(client, code, cells(qty=1.5, finalqty=1.5, price=100, mabtakhfif=0))) == "150"


def test_a_quantitys_fraction_counts_or_is_cut_off(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    row = cells(qty=1.5, finalqty=1.5, price=100, mabtakhfif=0)
    assert net_of(post(client, code, row)) == "150"
    sandbox.finance.whole_quantities = True
    assert net_of(post(client, code, row)) == "100"


def test_a_suid_with_dashes_is_taken_or_refused(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    assert saved(post(client, code))
    sandbox.finance.dashed_suid = "refuse"
    assert not saved(post(client, code))
    sandbox.finance.dashed_suid = "demand"
    assert saved(post(client, code))
    assert len(sandbox.finance.preinvoices) == 2


def test_other_cells_are_read_or_refused_as_texts(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    sandbox.finance.text_cells = "refuse"
    assert not saved(post(client, code))
    assert saved(post(client, code, cells(vazn=0, hajm=0, radif=1)))


@pytest.mark.parametrize(
    ("why", "fails"),
    [({"centre"}, [True, False, False]), ({"customer"}, [False, True, False]), ({"always"}, [True, True, True]),
     (set(), [False, False, False])],
)  # fmt: skip
def test_a_script_error_has_one_reason_or_another(
    sandbox: Sandbox, client: Client, why: set[str], fails: list[bool]
) -> None:
    code = sandbox.finance.add_contact(Name="a")
    sandbox.finance.script_errors = why
    answers = [post(client, code, codemarkazforush=""), post(client, 999), post(client, code)]
    assert [not saved(each) and "RUNTIME ERROR" in each["Errors"][0]["Description"] for each in answers] == fails
    assert len(sandbox.finance.preinvoices) == sum(saved(each) for each in answers)


@pytest.mark.parametrize("saves", [False, True])
def test_a_script_error_saves_nothing_or_something(sandbox: Sandbox, client: Client, saves: bool) -> None:
    sandbox.finance.script_error_saves = saves
    answer = post(client, sandbox.finance.add_contact(Name="a"), codevaseteh="")
    entry = answer["Errors"][0]
    assert (answer["ReturnValue"], entry["ErrorType"], len(entry["Description"].splitlines())) == (False, "ErrError", 3)
    assert len(sandbox.finance.preinvoices) == int(saves)


def test_the_net_contains_tax_or_not_by_kind_of_sale(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    row = cells(qty=1, finalqty=1, price=1000, mabtakhfif=0)

    def nets() -> list[str]:
        return [net_of(post(client, code, row, codenoeeforush=kind)) for kind in ("1", "2")]

    assert nets() == ["1,000", "1,000"]
    sandbox.finance.reports_tax_in_net = True
    assert nets() == ["1,100", "1,100"]
    sandbox.finance.untaxed_sale_kinds = {"1"}
    sandbox.finance.tax_percent = 9
    assert nets() == ["1,000", "1,090"]


def test_products_are_all_or_some(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    assert saved(post(client, code))
    sandbox.finance.products = {"other"}
    assert not saved(post(client, code))


def test_an_unknown_address_is_404(client: Client) -> None:
    answer = client.finance_session.get(f"{client.sandbox.finance_url}/none", timeout=PATIENCE)
    assert answer.status_code == 404


def test_a_success_has_an_error_beside_it_or_not(sandbox: Sandbox, client: Client) -> None:
    sandbox.finance.error_beside_success = True
    answer = post(client, sandbox.finance.add_contact(Name="a"))
    assert saved(answer)
    assert [each["ErrorType"] for each in answer["Errors"]] == ["ErrSuccs", "ErrError"]
    assert len(sandbox.finance.preinvoices) == 1
