"""The report of a run in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.faults.drill import Outcome
from benchmarks.faults.faults import Fault


def markdown(outcome: Outcome, started: str) -> str:
    """Return the whole report: what was done, what went wrong on purpose, what was kept.

    ``started`` says when, and on which commit.
    """
    plan = outcome.plan
    inputs = [
        ("complaints told, at once", f"{plan.complaints}, {plan.at_once}"),
        ("seed, share of faulty requests", f"{plan.seed}, {plan.fault_rate:.0%}"),
        ("started, commit", started),
        ("trouble, then settling", f"{_minutes(outcome)}"),
        ("messages the citizens sent again", sum(c.resends for c in outcome.citizens)),
        ("tries the clerk repeated", outcome.clerk.retries),
    ]
    kills = [(name, outcome.killer.kills[name]) for name in plan.victims]
    ways = (outcome.paths.to_desk, outcome.paths.to_gateway)
    faults = [(str(f), *(way.plan.drawn[f] for way in ways)) for f in Fault]
    faults.append(("passed on as it was", *(way.plan.passed for way in ways)))
    faults.append(("met a dead process", *(way.unreachable for way in ways)))
    parts = [
        _table(("run", ""), inputs),
        _table(("killed (SIGKILL)", "times"), kills),
        _table(("fault", "relay to desk", "desk to gateway"), faults),
        _table(("what was kept", ""), outcome.verdict.counts.items()),
    ]
    failures = outcome.verdict.failures
    lines = ["Every guarantee was kept."] if not failures else ["BROKEN:", *failures]
    return "\n\n".join([*parts, "\n".join(lines)])


def _minutes(outcome: Outcome) -> str:
    first, second = outcome.trouble_seconds, outcome.settle_seconds
    return f"{first / 60:.1f} min, {second / 60:.1f} min"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
