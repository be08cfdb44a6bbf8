"""The figures of the last run for Prometheus, as a text file for node_exporter's textfile collector. Pure: values to text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg


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


def metrics_text(figures: Figures) -> str:
    """The whole text file. Only `runs_total` counts on; all else describes the last run, or the moment of its end."""
    registry = CollectorRegistry()
    registry.register(_LastRun(figures))
    return generate_latest(registry).decode()


class _LastRun(Collector):
    """Gives the figures of one run to a registry. The library's own counters would begin at zero in each process."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One family for each metric."""
        figures = self._figures
        runs = CounterMetricFamily("siaghsync_runs", _help("runs_total"), labels=["command", "outcome"])
        for (command, outcome), count in sorted(figures.runs.items()):
            runs.add_metric([command, outcome], count)
        yield runs
        seconds = round(figures.seconds, 3)
        yield _gauge("last_run_duration_seconds", ["command"], [([figures.command], seconds)])
        records = [
            ([entity, outcome], count)
            for entity, outcomes in figures.records.items()
            for outcome, count in outcomes.items()
        ]
        yield _gauge("last_run_records", ["entity", "outcome"], records)
        yield _gauge("last_run_requests", ["system"], [([system], n) for system, n in figures.requests.items()])
        yield _gauge("last_run_retries", ["system"], [([system], n) for system, n in figures.retries.items()])
        yield _gauge("waiting", [], [([], figures.waiting)])
        yield _gauge("review", [], [([], figures.review)])
        last = figures.last_success
        yield _gauge("last_success_timestamp_seconds", [], [] if last is None else [([], last)])


def _gauge(name: str, labels: list[str], samples: Iterable[tuple[list[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"siaghsync_{name}", _help(name), labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _help(name: str) -> str:
    return render(msg(f"metrics.{name}"))
