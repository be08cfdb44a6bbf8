"""The metrics file as text: well-formed, with the names and labels that dashboards are built on."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from siaghsync.features.notifications.metrics import Figures, metrics_text

FIGURES = Figures(
    runs={("sync", "ok"): 41, ("initial-import", "ok"): 1, ("sync", "failed"): 2},
    command="sync",
    seconds=1.23456,
    records={"customer": {"created": 1, "review": 0}, "invoice": {"created": 3}},
    waiting=4,
    review=5,
    last_success=1_767_607_200.0,
    requests={"crm": 7, "finance": 8},
    retries={"crm": 0, "finance": 1},
)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """(name, label values in their order) -> value, as Prometheus reads the text."""
    families = list(text_string_to_metric_families(text))
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_names_labels_and_values_are_those_that_were_published() -> None:
    assert samples(metrics_text(FIGURES)) == {
        ("siaghsync_runs_total", "sync", "ok"): 41,
        ("siaghsync_runs_total", "initial-import", "ok"): 1,
        ("siaghsync_runs_total", "sync", "failed"): 2,
        ("siaghsync_last_run_duration_seconds", "sync"): 1.235,
        ("siaghsync_last_run_records", "customer", "created"): 1,
        ("siaghsync_last_run_records", "customer", "review"): 0,
        ("siaghsync_last_run_records", "invoice", "created"): 3,
        ("siaghsync_last_run_requests", "crm"): 7,
        ("siaghsync_last_run_requests", "finance"): 8,
        ("siaghsync_last_run_retries", "crm"): 0,
        ("siaghsync_last_run_retries", "finance"): 1,
        ("siaghsync_waiting",): 4,
        ("siaghsync_review",): 5,
        ("siaghsync_last_success_timestamp_seconds",): 1_767_607_200,
    }


def test_only_the_runs_are_a_counter_and_nothing_of_the_process_is_told() -> None:
    text = metrics_text(FIGURES)
    kinds = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    assert kinds.pop("siaghsync_runs_total") == "counter"
    assert set(kinds.values()) == {"gauge"}
    assert all(name.startswith("siaghsync_") for name in kinds)
    helps = [line.split(maxsplit=3) for line in text.splitlines() if line.startswith("# HELP")]
    assert len(helps) == len(kinds) + 1
    assert all(len(parts) == 4 and parts[3].endswith(".") for parts in helps)


def test_what_is_not_known_has_no_sample() -> None:
    text = metrics_text(replace(FIGURES, last_success=None, records={}))
    names = {name for name, *_ in samples(text)}
    assert "siaghsync_last_success_timestamp_seconds" not in names
    assert "siaghsync_last_run_records" not in names
    assert "# TYPE siaghsync_last_success_timestamp_seconds gauge" in text


def test_each_text_is_made_anew() -> None:
    first = metrics_text(FIGURES)
    metrics_text(replace(FIGURES, runs={("sync", "ok"): 1}))
    assert metrics_text(FIGURES) == first
