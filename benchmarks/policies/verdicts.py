"""Verdicts against a golden set that was written from the documents' words alone.

    python -m benchmarks.policies.verdicts

``golden/*_triples.yml`` holds (profile, policy, verdict) triples; who wrote them saw the
conditions as sentences, never as rules. Every difference is printed with the conditions that
were not simply true.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from base.settings import get_settings
from matcher.eligibility import Evaluation, evaluate
from matcher.policy import load_policies
from matcher.profile import KINDS, Kind, complete, parse_profile

GOLDEN = Path(__file__).with_name("golden")


def triples(kind: Kind) -> list[dict[str, Any]]:
    """Return the triples of one kind: ``policy``, ``profile``, ``verdict`` and ``why``."""
    rows: list[dict[str, Any]] = yaml.safe_load(
        (GOLDEN / f"{kind}_triples.yml").read_text(encoding="utf-8")
    )
    return rows


def differences(kind: Kind) -> list[tuple[dict[str, Any], Evaluation]]:
    """Return the triples that come out otherwise, each with how."""
    policies = {policy.id: policy for policy in load_policies(get_settings().policies_dir)}
    found = []
    for row in triples(kind):
        profile = parse_profile({"kind": kind, "id": "golden", "attributes": row["profile"]})
        evaluation = evaluate(policies[row["policy"]], complete(profile))
        if evaluation.verdict != row["verdict"]:
            found.append((row, evaluation))
    return found


def main() -> None:
    """Print the share that agrees, by kind, and every difference."""
    for kind in KINDS:
        rows, wrong = triples(kind), differences(kind)
        split = Counter(row["verdict"] for row in rows)
        covered = len({row["policy"] for row in rows})
        share = 1 - len(wrong) / len(rows)
        print(f"{kind}: {len(rows)} triples on {covered} policies ({dict(split)}): {share:.4f}")
        for row, evaluation in wrong:
            print(f"  {row['policy']} {row['profile']}")
            print(f"    golden {row['verdict']}: {row['why']}; here {evaluation.verdict}")
            for condition in evaluation.conditions:
                if condition.outcome is not True:
                    print(f"    {condition.outcome}: {condition.text} | {condition.when}")


if __name__ == "__main__":
    main()
