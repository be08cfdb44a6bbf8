"""The figures of the last run in Prometheus' text format, for node_exporter's textfile collector. Pure: values to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known when a run is over.

    `runs` is (command, outcome) -> how many there ever were. `command`, `seconds`, `records` (entity -> outcome -> how
    many), `requests` and `retries` (by system) are those of this run. `last_success` is in seconds since 1970, UTC.
    """

    runs: Mapping[tuple[str, str], int]
    command: str
    seconds: float
    records: Mapping[str, Mapping[str, int]]
    waiting: int
    review: int
    last_success: float | None
    requests: Mapping[str, int]
    retries: Mapping[str, int]


Samples = list[tuple[dict[str, str], float]]


def metrics_text(figures: Figures) -> str:
    """The whole text file. Only `runs_total` counts on; all else describes the last run, or the moment of its end."""
    return "".join(line for family in _families(figures) for line in _lines(*family))


def _families(figures: Figures) -> Iterator[tuple[str, str, str, Samples]]:
    runs: Samples = [({"command": c, "outcome": o}, n) for (c, o), n in sorted(figures.runs.items())]
    yield "runs_total", "counter", "Runs that wrote or could have written, by command and outcome.", runs
    duration: Samples = [({"command": figures.command}, round(figures.seconds, 3))]
    yield "last_run_duration_seconds", "gauge", "How long the last run took.", duration
    records: Samples = [
        ({"entity": entity, "outcome": outcome}, n)
        for entity, outcomes in figures.records.items()
        for outcome, n in outcomes.items()
    ]
    yield "last_run_records", "gauge", "Records that the last run looked at, by what became of them.", records
    for name, text, per_system in (
        ("last_run_requests", "Requests of the last run, logins and repeats included.", figures.requests),
        ("last_run_retries", "How many requests of the last run were repeats.", figures.retries),
    ):
        yield name, "gauge", text, [({"system": system}, n) for system, n in per_system.items()]
    yield "waiting", "gauge", "Records that wait for another try.", [({}, figures.waiting)]
    yield "review", "gauge", "Records that wait for a person.", [({}, figures.review)]
    success: Samples = [] if figures.last_success is None else [({}, figures.last_success)]
    text = "When the last good run ended; time() minus this is its age, also if no run comes any more."
    yield "last_success_timestamp_seconds", "gauge", text, success


def _lines(name: str, kind: str, text: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP siaghsync_{name} {text}\n# TYPE siaghsync_{name} {kind}\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
        yield f"siaghsync_{name}{f'{{{inside}}}' if inside else ''} {value}\n"


def _escaped(content: str) -> str:
    return content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
