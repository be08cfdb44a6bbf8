"""A client that knows nothing but the wire contracts: plain requests, and the bodies that they are made of."""

from __future__ import annotations

import json
from typing import Any

import requests

from siaghsync.sandbox import Sandbox
from tests.patience import PATIENCE

GET_ALL = "/api/Sgh/GEN/Gn_Web_Users/GetAll"
LOGIN = {"username": "webservice", "deviceId": "test", "platformType": 1, "os": "Linux", "osVersion": "1", "token": ""}
FORM_KEYS = (
    "isactive", "gender", "websiteaddress", "pocode", "codeostan", "address", "codeshahr", "countrycode", "email",
    "fullname", "mobileno", "telno", "passno", "tmpid", "tozihat", "taraftype",
)  # fmt: skip
UNKNOWN = "00000000-0000-0000-0000-000000000000"


class Client:
    """Logs in to both systems and posts what it is told."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.crm_session, self.finance_session = requests.Session(), requests.Session()
        for session in (self.crm_session, self.finance_session):
            session.trust_env = False
        token = self.login().json()["accessToken"]
        self.crm_session.headers["Authorization"] = f"Bearer {token}"
        user = sandbox.finance.user
        answer = self.siagh("/GeneralApi/LoginUser", {"UserName": user.name, "Password": user.hash})
        self.finance_session.headers["Authorization"] = answer.json()["SessionId"]

    def login(self, **changes: Any) -> requests.Response:
        body = {**LOGIN, "password": self.sandbox.crm.account.password, **changes}
        return self.crm_session.post(f"{self.sandbox.crm_url}/api/v2/auth/login", json=body, timeout=PATIENCE)

    def crm(self, path: str, body: Any, timeout: float = PATIENCE) -> requests.Response:
        url = f"{self.sandbox.crm_url}/api/v2/crmobject/{path}"
        return self.crm_session.post(url, json=body, timeout=timeout, allow_redirects=False)

    def search(self, number: int = 0, size: int = 500) -> Any:
        return self.crm("identity/search", {"pageNumber": number, "pageSize": size, "searchTerm": ""}).json()

    def find(self, *queries: dict[str, Any], kind: str = "person", **changes: Any) -> Any:
        body = {
            "queries": list(queries),
            "orders": [{"field": "ModifyDate", "order": 0}],
            "pageNumber": 1,
            "pageSize": 200,
        }
        answer = self.crm(f"{kind}/find", {**body, **changes})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, timeout: float = PATIENCE, **changes: Any) -> requests.Response:
        return self.crm("person/create", {"lastName": "نوری", "crmObjectTypeCode": "person", **changes}, timeout)

    def siagh(self, path: str, body: Any, timeout: float = PATIENCE) -> requests.Response:
        return self.finance_session.post(self.sandbox.finance_url + path, json=body, timeout=timeout)

    def contacts(self, **wanted: Any) -> Any:
        return self.siagh(GET_ALL, wanted).json()

    def save(self, ctrl_values: str, parameters: str = "CodeMain=", **changes: Any) -> Any:
        body = {"formId": "2BFDA", "ctrlValues": ctrl_values, "parameters": parameters, "dataRows": "[]",
                "attachments": "[]", "postCode": "1110", "flowId": "", **changes}  # fmt: skip
        answer = self.siagh("/BpmsApi/SaveFormData", body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def leaf(field: str, value: str, operator: int = 0, logical: int = 0) -> dict[str, Any]:
    return {"logicalOperator": logical, "operator": operator, "field": field, "value": value, "leafNegate": False}


def ctrl(code: int | str | None = None, **changes: str) -> str:
    values = {"isactive": "1", "fullname": "علی نوری", "taraftype": "0", **changes}
    fields = [f"gn_web_users.{key}={values.get(key, '')}" for key in FORM_KEYS]
    return "|".join([*([f"Param1={code}"] if code is not None else []), "NickName=dbgrid1.#nickname#", *fields])


def cells(number: int = 1, **changes: Any) -> dict[str, Any]:
    values = {"__uid": f"u{number}", "_status": "inserted", "codekala": "P1", "nameunit": "عدد", "qty": 2,
              "mabtakhfif": 1000, "vazn": "0", "hajm": "0", "price": 2860500, "radif": str(number), "finalqty": 2,
              "takhfif": None, "sumamelinc": None, "sumameldec": None, **changes}  # fmt: skip
    return {
        name: {"oldValue": value if name in ("__uid", "_status") else None, "newValue": value}
        for name, value in values.items()
    }


def post(client: Client, customer: int, *rows: dict[str, Any], **changes: str) -> Any:
    year = client.sandbox.finance.year()
    fields = {"hssanadstate": "8", "codenoeesanad": "2", "codesalemodel": "5", "salmali": str(year),
              "codenoeepardakht": "2", "codemarkazforush": "5", "codecontact": "", "codemoshtari": str(customer),
              "codenoeeforush": "1", "codevaseteh": "31", "tozihat": "CRM 100-1404/15",
              "namenoesanad": "پیش فاکتور فروش PI_5", **changes}  # fmt: skip
    grid = {"name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz", "data": list(rows or (cells(),))}
    return client.save(
        "|".join(f"sl_sanad.{key}={value}" for key, value in fields.items()),
        "_In_EditKeys=|_In_Suid=8A5C9D3E-0000-4000-8000-00000000000A|nocheck=",
        formId="43D81",
        dataRows=json.dumps([grid]),
    )
