"""The checks, by the same names for the hand, the hook and `.ci/run`. `nox --list` shows them.

All but `pythons` use the environment that nox runs in: `pip install -e '.[dev]'`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

FAST = (
    "tests/architecture", "tests/connectors", "tests/domain", "tests/features", "tests/messages", "tests/planning",
    "tests/report", "tests/state", "tests/unit", "tests/test_architecture.py", "tests/test_docs.py",
    "tests/test_files.py", "tests/test_messages.py", "tests/test_repository.py", "tests/web/test_charts.py",
    "tests/web/test_contrast.py", "tests/web/test_languages.py", "tests/web/test_review_view.py",
    "--ignore=tests/features/test_check_apis.py", "--ignore=tests/features/test_invoice_report.py",
    "--ignore=tests/features/test_notifications.py",
)  # fmt: skip
"""What pytest is told, to run all that starts no command and no web server: about a minute."""
PYTHONS = ("3.11", "3.12", "3.13")

nox.options.sessions = ["lint", "types", "fast"]
nox.options.default_venv_backend = "none"


def python(session: nox.Session, module: str, *arguments: str) -> None:
    """Runs a module of the environment that nox runs in."""
    session.run(sys.executable, "-m", module, *arguments, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests. What follows `--` goes to pytest."""
    python(session, "pytest", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """The tests for daily work, in about a minute."""
    python(session, "pytest", *FAST, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """The linter, the formatter, which changes nothing, and what Kubernetes says to the manifests."""
    python(session, "ruff", "check")
    python(session, "ruff", "format", "--check")
    python(session, "kubernetes_validate", "--strict", "docs/kubernetes/cronjob.yaml")


@nox.session
def types(session: nox.Session) -> None:
    """The type checker, also as Windows has it."""
    python(session, "mypy")
    python(session, "mypy", "--platform", "win32", "siaghsync")


@nox.session
def dates(session: nox.Session) -> None:
    """A few tests at odd dates, far away, and on a busy machine. What follows `--` goes to `tests/odd_dates.py`."""
    session.run(sys.executable, "tests/odd_dates.py", *session.posargs, external=True)


@nox.session
def pythons(session: nox.Session) -> None:
    """The fast tests on each supported Python that is on this machine, each in an environment of its own."""
    for version in PYTHONS:
        found = interpreter(version)
        if found is None:
            session.warn(f"There is no Python {version} here.")
            continue
        folder = Path(session.create_tmp()) / version
        session.run(found, "-m", "venv", "--clear", str(folder), external=True)
        own = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        session.run(own, "-m", "pip", "install", "--quiet", "--editable", ".[test]", external=True)
        session.run(own, "-m", "pytest", *FAST, external=True)


def interpreter(version: str) -> str | None:
    """A Python of this version: pyenv's, else the one on the path."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(kept[-1]) if kept else shutil.which(f"python{version}")
