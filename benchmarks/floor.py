"""The floor under an import: the same posts by plain requests and threads, as a competent user would write it.

    python -m benchmarks.floor CRM_URL COUNT CONCURRENCY

One login, then COUNT creates with one shared session of so many kept connections, each answer read as JSON. `trust_env` is
off, as the program has it off too: with it on, requests would look for proxies and .netrc at each call and be a lower floor.
No record is kept of anything: whoever kills it can't tell what was created.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

from benchmarks.fake_customers import FIRST_CODE, PASSWORD, USER, crm_body


def main(url: str, count: int, concurrency: int) -> None:
    """Posts everything."""
    with requests.Session() as session, ThreadPoolExecutor(concurrency) as pool:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=concurrency))
        login = session.post(f"{url}/api/v2/auth/login", json={"username": USER, "password": PASSWORD}, timeout=30)
        session.headers["Authorization"] = f"Bearer {login.json()['accessToken']}"

        body = crm_body(1_000)

        def post(number: int) -> str:
            record = {**body, "customerNumber": str(FIRST_CODE + number)}
            answer = session.post(f"{url}/api/v2/crmobject/person/create", json=record, timeout=30)
            answer.raise_for_status()
            return str(answer.json()["crmId"])

        done = sum(1 for crm_id in pool.map(post, range(count)) if crm_id)
    assert done == count, done


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
