"""The field table decides what travels: a plain field that both systems have is one row there and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import siaghsync
from siaghsync.connectors.payamgostar.customers import customer_from_crm, record_for_create
from siaghsync.connectors.siagh.form import encode_contact
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.domain.fields import IN_ADDRESS, IN_RECORD, PLACES, READ_BACK, TABLE, Field, FieldKind
from siaghsync.domain.site import Site
from tests.connectors.vendor_records import crm_record, finance_record

PACKAGE = Path(siaghsync.__file__).parent
LAST_ROW = '    Field("kind", "taraftype", "towardtype", None, FieldKind.CHOICE),\n'
NEW_ROW = '    Field("father_name", "fathername", "fathername", "fatherName", FieldKind.TEXT),\n'
PLAIN = [row for row in IN_RECORD if row.kind is not FieldKind.GENDER]
VALUES = {FieldKind.NATIONAL_CODE: "0013542419", FieldKind.PHONE: "09123456789", FieldKind.DIGITS: "1234567890"}

JOURNEY = """
import json, sys
from siaghsync.connectors.payamgostar.customers import customer_from_crm, record_for_create
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.connectors.siagh.form import encode_contact
from siaghsync.domain.fields import TABLE

crm, finance = json.load(sys.stdin)
customer = customer_from_crm(crm, "person")
contact = contact_from_finance(finance)
payload = dict.fromkeys((row.name for row in TABLE), "") | dict(customer.fields)
print(json.dumps({
    "customer": dict(customer.fields),
    "contact": dict(contact.fields),
    "form": encode_contact(payload, None),
    "record": record_for_create({"kind": "person", "name": "x", **contact.fields}),
    "checksums": [customer.checksum, customer_from_crm({**crm, "fatherName": "رضا"}, "person").checksum],
}))
"""


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: str(row.name))
def test_every_plain_field_goes_from_the_crm_to_finance_and_back(row: Field) -> None:
    value = VALUES.get(row.kind, "مقدار")
    assert row.crm_property
    customer = customer_from_crm(crm_record(**{row.crm_property: value}), "person")
    assert customer.fields[row.name] == value
    payload = dict.fromkeys((each.name for each in TABLE), "") | dict(customer.fields)
    assert f"|gn_web_users.{row.finance_key}={value}|" in encode_contact(payload, None)
    assert record_for_create({**payload, "kind": "person"})[row.crm_property] == value


@pytest.mark.parametrize("name", IN_ADDRESS)
def test_every_field_of_the_address_goes_from_the_crm_to_finance_and_back(name: str) -> None:
    site = Site(codes={name: {"مقدار": "7"}}, names={name: {"7": "مقدار"}})
    record = crm_record(addressContacts=[{"address": "", IN_ADDRESS[name]: "مقـدار"}])
    customer = customer_from_crm(record, "person", site)
    value = "7" if name in PLACES else "مقـدار"
    assert customer.fields[name] == value
    payload = {"kind": "person", "name": "x", name: site.name_of(name, value) or value}
    written = record_for_create(payload)["addressContacts"]
    assert written == [{"default": True, IN_ADDRESS[name]: "مقدار" if name in PLACES else value}]


@pytest.mark.parametrize("row", READ_BACK, ids=lambda row: str(row.name))
def test_every_field_that_siagh_shows_is_read(row: Field) -> None:
    changed = {name: value for name, value in finance_record().items() if name.lower() != row.finance_property}
    assert row.finance_property
    contact = contact_from_finance({**changed, row.finance_property.upper(): "1"})
    assert contact.fields[row.name] == "1"


def with_one_more_row(folder: Path) -> Path:
    """A copy of the package whose field table has the row of `father_name`."""
    copy = folder / "siaghsync"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "web", "sandbox"))
    table = copy / "domain" / "fields.py"
    source = table.read_text("utf-8")
    assert LAST_ROW in source
    table.write_text(source.replace(LAST_ROW, NEW_ROW + LAST_ROW), "utf-8")
    return folder


def test_a_new_plain_field_is_one_row(tmp_path: Path) -> None:
    records = [crm_record(fatherName="حسن"), finance_record(FatherName="حسین")]
    done = subprocess.run(
        [sys.executable, "-c", JOURNEY],
        input=json.dumps(records).encode(),
        env={**os.environ, "PYTHONPATH": str(with_one_more_row(tmp_path)), "PYTHONIOENCODING": "utf-8"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["customer"]["father_name"] == "حسن"
    assert found["contact"]["father_name"] == "حسین"
    assert "|gn_web_users.fathername=حسن|" in found["form"]
    assert found["record"]["fatherName"] == "حسین"
    assert len(set(found["checksums"])) == 2, "a change of the new field is a change of the customer"
