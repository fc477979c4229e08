"""``shimin policies`` and ``shimin match``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from base.settings import get_settings

policies = typer.Typer(no_args_is_help=True)
_MARKS = {"eligible": "符合", "possible": "可能符合", "ineligible": "不符合"}


@policies.command()
def check(
    directory: Annotated[Path | None, typer.Argument(help="Default: the configured one.")] = None,
) -> None:
    """Check every policy, service and hall file; the first fault ends with code 2.

    A policy that excludes another which does not exclude it is only named: both count.
    """
    from matcher.policy import load_policies, one_sided
    from matcher.service import load_halls, load_services

    root = directory or get_settings().policies_dir
    found = load_policies(root)
    services = load_services(root / "services")
    halls = load_halls(root / "halls.yml")
    for name, other in one_sided(found):
        typer.echo(f"note: {name} excludes {other}, {other} does not list {name}", err=True)
    by_audience = Counter(policy.audience for policy in found)
    typer.echo(
        f"{len(found)} policies ({by_audience['enterprise']} enterprise, "
        f"{by_audience['resident']} resident), {len(services)} services, {len(halls)} halls: ok"
    )


def match(
    profile: Annotated[Path, typer.Option(help="Profile JSON file (docs/profile.md).")],
    query: Annotated[str | None, typer.Option(help="The citizen's words.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Rank the policies for a profile, with the reason per condition."""
    from matcher.catalogue import Catalogue
    from matcher.profile import load_profile
    from matcher.report import match_report

    wanted = load_profile(profile)
    report = match_report(Catalogue.load(get_settings()), wanted, query)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    for found in report["matches"]:
        typer.echo(f"{_MARKS[found['verdict']]}  {found['title']}")
        for condition in found["conditions"]:
            mark = {"true": "✓", "false": "✗", "unknown": "?"}[condition["outcome"]]
            typer.echo(f"    {mark} {condition['text']}")
    if report["next_question"]:
        typer.echo(f"\n还想知道：{report['next_question']['question']}")
