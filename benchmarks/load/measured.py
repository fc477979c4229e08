"""What a run measured, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.load.processes import ProcessWatch
from benchmarks.load.traffic import Answered, Seen

LIMIT_SECONDS = 0.4
"""What 19 of 20 text messages are to be answered within."""
ROWS = 10
"""At most, of the table over time."""


@dataclass(frozen=True)
class Measured:
    """One rate over some time.

    ``sent``: text messages of the plan; ``said``: what came of them; ``complaints``: of the
    messages that filed complaints; ``losses``: what is wrong with those, none when nothing is.
    """

    title: str
    sent: int
    said: Seen
    complaints: Seen
    watch: ProcessWatch
    losses: Sequence[str]

    @property
    def wrong(self) -> list[str]:
        """What is not as it should be."""
        found = list(self.losses)
        if unanswered := self.sent - len(self.said.answers):
            found.append(f"{unanswered} messages were not answered: {dict(self.said.failed)}")
        p95 = _percentile([answer.seconds for answer in self.said.answers], 95)
        if not p95 <= LIMIT_SECONDS:
            found.append(f"p95 of {1000 * p95:.0f} ms is over {1000 * LIMIT_SECONDS:.0f} ms")
        return found


def report(measured: Measured) -> str:
    """Return everything as Markdown."""
    said, complaints = measured.said.answers, measured.complaints.answers
    seconds = measured.watch.seconds
    parts = [
        measured.title,
        _times([*_by_kind(said), ("every text message", said), *_by_kind(complaints)]),
        f"{len(said)} of {measured.sent} text messages answered, {len(said) / seconds:.1f} a"
        f" second; complaint messages refused: {dict(measured.complaints.failed) or 'none'}",
        _work(measured.watch, len(said)),
        _over_time(measured.watch, said),
        "\n".join(measured.wrong) or "every message answered, every complaint at the desk once",
    ]
    return "\n\n".join(parts)


def _times(kinds: Iterable[tuple[str, Sequence[Answered]]]) -> str:
    rows = [
        (kind, len(answers), *(_ms([a.seconds for a in answers], q) for q in (50, 95, 99)))
        for kind, answers in kinds
    ]
    return _table(("kind", "answers", "p50", "p95", "p99"), rows)


def _work(watch: ProcessWatch, answered: int) -> str:
    """Return who took the processor, and what became of the memory."""
    cpu, growth = watch.cpu(), watch.growth()
    rows = [
        (
            name,
            f"{cpu[name] / watch.seconds:.2f}",
            f"{1000 * cpu[name] / max(1, answered):.1f}",
            f"{looks[0].memory:.0f}",
            f"{looks[-1].memory:.0f}",
            f"{growth[name]:+.2f}",
        )
        for name, looks in watch.seen.items()
    ]
    total = sum(cpu.values())
    each = f"{1000 * total / max(1, answered):.1f}"
    rows.append(("together", f"{total / watch.seconds:.2f}", each, "", "", ""))
    heads = ("process", "cores", "ms a text message", "MB first", "MB last")
    return _table((*heads, "MB a minute, second half"), rows)


def _over_time(watch: ProcessWatch, said: Sequence[Answered]) -> str:
    """Return how long answers took and how large the processes were, in stretches."""
    length = watch.seconds / ROWS
    stretches: Mapping[int, list[float]] = defaultdict(list)
    for answer in said:
        stretches[min(ROWS - 1, int(answer.at / length))].append(answer.seconds)
    rows = []
    for number in range(ROWS):
        end = (number + 1) * length
        memory = watch.memory_at(end)
        sizes = (f"{size:.0f}" for size in memory.values())
        rows.append(
            (f"{end / 60:.1f}", _ms(stretches[number], 50), _ms(stretches[number], 95), *sizes)
        )
    return _table(("until minute", "p50", "p95", *(f"{name} MB" for name in watch.seen)), rows)


def _by_kind(answers: Iterable[Answered]) -> Iterator[tuple[str, list[Answered]]]:
    kinds: dict[str, list[Answered]] = defaultdict(list)
    for answer in answers:
        kinds[answer.kind].append(answer)
    yield from sorted(kinds.items())


def _percentile(seconds: Sequence[float], q: float) -> float:
    return float(np.percentile(seconds, q)) if seconds else float("nan")


def _ms(seconds: Sequence[float], q: float) -> str:
    return f"{1000 * _percentile(seconds, q):.0f} ms" if seconds else "–"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
