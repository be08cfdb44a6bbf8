"""The container and the CronJob run with as few rights as the program needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def test_the_cron_job_has_no_rights_that_it_does_not_need() -> None:
    yaml = pytest.importorskip("yaml")
    claim, job = yaml.safe_load_all((DOCS / "kubernetes" / "cronjob.yaml").read_text("utf-8"))
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    (mount,) = container["volumeMounts"]
    (state,) = (each["value"] for each in container["env"] if each["name"] == "SIAGHSYNC_STATE")
    assert mount["name"] == volume["name"]
    assert Path(state).is_relative_to(mount["mountPath"])


def test_the_image_runs_without_root_and_writes_into_its_volume() -> None:
    text = (DOCS / "container" / "Containerfile").read_text("utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^USER (\S+)$", last, re.MULTILINE) == ["1000:1000"]
    (volume,) = re.findall(r"^VOLUME (\S+)$", last, re.MULTILINE)
    assert f"SIAGHSYNC_STATE={volume}/" in last
