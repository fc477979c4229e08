"""Measures the import of policy texts: every field and every condition, by meaning.

``python -m benchmarks.policy_import.measure [--errors dev]`` prints precision, recall and F1 on
the texts for development and on those held out, beside plain regular expressions. Two
predicates are the same when they give one verdict on every one of a few hundred profiles drawn
around the numbers that both name, missing columns included.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlglot
from rapidfuzz import fuzz
from sqlglot import exp

from base.errors import ConfigurationError
from benchmarks.policy_import import baseline
from benchmarks.policy_import.corpus import Sample, load
from matcher.importing.draft import Draft, make_draft
from matcher.importing.reading import read_paragraphs
from matcher.predicate import Predicate, parse_predicate
from matcher.profile import ATTRIBUTES

PROFILES = 400
TODAY = date(2026, 11, 22)
PATHS = {
    "title": "title",
    "number": "document.number",
    "issuer": "issuer",
    "date": "document.date",
    "level": "level",
    "audience": "audience",
    "theme": "theme",
    "amount": "benefit.amount",
    "unit": "benefit.unit",
    "cap": "benefit.cap",
    "opens": "window.opens",
    "closes": "window.closes",
    "phone": "apply.phone",
}


class Tally:
    """Counts of right, wrong and missed."""

    def __init__(self) -> None:
        self.right = self.given = self.wanted = 0

    def add(self, right: int, given: int, wanted: int) -> None:
        """Add the counts of one text."""
        self.right, self.given, self.wanted = (
            self.right + right, self.given + given, self.wanted + wanted
        )  # fmt: skip

    def row(self) -> tuple[float, float, float]:
        """Return precision, recall and F1."""
        precision = self.right / self.given if self.given else 0.0
        recall = self.right / self.wanted if self.wanted else 0.0
        both = precision + recall
        return precision, recall, 2 * precision * recall / both if both else 0.0


def conjuncts(when: str) -> list[str]:
    """Split a predicate at its outermost ANDs."""
    tree: Any = sqlglot.parse_one(when)
    found: list[str] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Paren):
            stack.append(node.this)
        elif isinstance(node, exp.And):
            stack += [node.expression, node.this]
        else:
            found.append(node.sql())
    return found


def same(one: Predicate, other: Predicate) -> bool:
    """Say whether two predicates give one verdict on every drawn profile."""
    if set(one.columns) != set(other.columns):
        return False
    draw = random.Random(0)
    pools = {name: _values(name, one, other) for name in one.columns}
    for _ in range(PROFILES):
        facts = {
            name: value for name, pool in pools.items() if (value := draw.choice(pool)) is not None
        }
        if one.evaluate(facts) != other.evaluate(facts):
            return False
    return True


def _values(name: str, one: Predicate, other: Predicate) -> list[Any]:
    column = ATTRIBUTES[one.kind][name]
    if column.type == "boolean":
        return [True, False, None]
    if column.type == "choice":
        return [*(choice.value for choice in column.choices), None]
    named = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", f"{one.sql} {other.sql}")}
    around = {n * k + d for n in named for k in (1, 10) for d in (-1, -0.5, 0, 0.5, 1)}
    return [*sorted(around), 0.0, 1e6, None]


def matched(
    predicted: Iterable[str], gold: Iterable[str], kind: str
) -> tuple[int, list[str], list[str]]:
    """Pair predicates of one meaning; return how many, and what is left on either side."""
    left = [parse_predicate(when, kind) for when in gold]
    right, spare = 0, []
    for when in predicted:
        try:
            parsed = parse_predicate(when, kind)
        except ConfigurationError:
            spare.append(when)
            continue
        twin = next((g for g in left if same(parsed, g)), None)
        if twin is None:
            spare.append(when)
        else:
            left.remove(twin)
            right += 1
    return right, spare, [g.sql for g in left]


def field_values(draft: Draft) -> dict[str, Any]:
    """Return the fields of a draft under the names of the annotation."""
    values = {name: draft.fields[path].value for name, path in PATHS.items()}
    values["materials"] = [entry.value for entry in draft.lists["materials"]]
    return values


def _norm(name: str, value: Any) -> str:
    text = str(value).strip()
    if name == "title":
        text = re.sub(r"^.*?(?=关于)", "", re.sub(r"\s", "", text))
    if name in ("amount", "cap"):
        return f"{float(value):g}"
    return re.sub(r"\s", "", text)


def score_fields(
    values: dict[str, Any], gold: dict[str, Any], tallies: dict[str, Tally]
) -> list[str]:
    """Add one text's fields to ``tallies``; return its faults in words."""
    faults = []
    for name in PATHS:
        given, wanted = values[name], gold[name]
        right = (
            given is not None and wanted is not None and _norm(name, given) == _norm(name, wanted)
        )
        tallies[name].add(int(right), int(given is not None), int(wanted is not None))
        if not right and (given is not None or wanted is not None):
            faults.append(f"{name}: {given!r} for {wanted!r}")
    left = list(gold["materials"])
    right = 0
    for given in values["materials"]:
        twin = next((w for w in left if fuzz.ratio(str(given), w) >= 85), None)
        if twin is not None:
            left.remove(twin)
            right += 1
    tallies["materials"].add(right, len(values["materials"]), len(gold["materials"]))
    if left or right < len(values["materials"]):
        faults.append(f"materials: {values['materials']} for {gold['materials']}")
    return faults


def score_conditions(
    whens: Iterable[str], sample: Sample, kind: str, tally: Tally
) -> tuple[bool, list[str]]:
    """Add one text's conditions to ``tally``; return whether all are right, and the faults."""
    gold = [part for c in sample.conditions if c["when"] for part in conjuncts(c["when"])]
    if kind != sample.gold["audience"]:
        listed = list(whens)
        tally.add(0, len(listed), len(gold))
        return False, [f"wrong audience: {listed}"]
    predicted = list(dict.fromkeys(part for when in whens for part in conjuncts(when)))
    right, spare, missed = matched(predicted, dict.fromkeys(gold), kind)
    given = len(predicted)
    if spare and missed and _together(spare, missed, kind):
        right, given = right + len(missed), given + len(missed) - len(spare)
        spare, missed = [], []
    tally.add(right, given, len(set(gold)))
    faults = [f"+ {when}" for when in spare] + [f"- {when}" for when in missed]
    return not faults, faults


def _together(spare: list[str], missed: list[str], kind: str) -> bool:
    """Say whether what is left on both sides means the same as a whole, cut differently."""
    whole = [" AND ".join(f"({when})" for when in side) for side in (spare, missed)]
    try:
        one, other = (parse_predicate(when, kind) for when in whole)
    except ConfigurationError:
        return False
    return same(one, other)


class Result:
    """Everything measured on one split by one extractor."""

    def __init__(self) -> None:
        self.fields: dict[str, Tally] = defaultdict(Tally)
        self.conditions, self.unflagged = Tally(), Tally()
        self.kept = Tally()
        self.whole = self.texts = self.open = 0


def measure(samples: list[Sample], show_errors: bool) -> tuple[Result, Result]:
    """Return what the importer and what the baseline reach on ``samples``."""
    ours, plain = Result(), Result()
    for sample in samples:
        draft = make_draft(sample.content, sample.name, TODAY)
        values = field_values(draft)
        faults = score_fields(values, sample.gold, ours.fields)
        whens = [c.when for c in draft.conditions if c.when]
        whole, wrong = score_conditions(whens, sample, values["audience"], ours.conditions)
        sure = [c.when for c in draft.conditions if c.when and not c.check]
        score_conditions(sure, sample, values["audience"], ours.unflagged)
        ours.whole, ours.texts = ours.whole + whole, ours.texts + 1
        ours.open += sum(c.when is None or c.check is not None for c in draft.conditions)
        for condition in sample.conditions:
            if condition["when"] is None:
                ours.kept.add(_kept(condition["text"], draft), 1, 1)
        text = "\n".join(read_paragraphs(sample.content))
        fields, whens = baseline.extract(text)
        score_fields(fields, sample.gold, plain.fields)
        whole, _ = score_conditions(whens, sample, fields["audience"], plain.conditions)
        plain.whole, plain.texts = plain.whole + whole, plain.texts + 1
        if show_errors and (faults or wrong):
            print(f"\n{sample.name}", *faults, *wrong, sep="\n    ")
    return ours, plain


def _kept(words: str, draft: Draft) -> int:
    """Say whether a condition without a column is in the draft for a human to settle."""
    return int(
        any(
            fuzz.partial_ratio(words, c.text) >= 80
            for c in draft.conditions
            if c.when is None or c.check is not None
        )
    )


def table(results: dict[str, tuple[Result, Result]]) -> str:
    """Return the results as a Markdown table."""
    head = " | ".join(f"{split} P / R / F1 | {split} plain F1" for split in results)
    lines = [f"| field | {head} |", "|---" * (1 + 2 * len(results)) + "|"]
    for name in [*PATHS, "materials"]:
        cells = []
        for ours, plain in results.values():
            cells += ["{:.2f} / {:.2f} / {:.2f}".format(*ours.fields[name].row()),
                      f"{plain.fields[name].row()[2]:.2f}"]  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    cells = []
    for ours, plain in results.values():
        cells += ["{:.2f} / {:.2f} / {:.2f}".format(*ours.conditions.row()),
                  f"{plain.conditions.row()[2]:.2f}"]  # fmt: skip
    lines.append(f"| **conditions** | {' | '.join(cells)} |")
    for split, (ours, plain) in results.items():
        lines.append(
            f"\n{split}: {ours.texts} texts, {ours.conditions.wanted} conditions; every condition "
            f"right in {ours.whole} texts (plain: {plain.whole}); precision of conditions without "
            f"a remark {ours.unflagged.row()[0]:.2f}; conditions no column can express kept for a "
            f"human {ours.kept.right} of {ours.kept.wanted}; open points per text "
            f"{ours.open / ours.texts:.1f}."
        )
    return "\n".join(lines)


def main() -> None:
    """Measure both splits and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", choices=["dev", "held_out"], help="show the faults of a split")
    asked = parser.parse_args()
    samples = load()
    started = time.perf_counter()
    results = {}
    for split, held_out in (("dev", False), ("held_out", True)):
        chosen = [sample for sample in samples if sample.held_out == held_out]
        results[split] = measure(chosen, asked.errors == split)
    print(table(results))
    print(f"\n{len(samples)} documents in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
