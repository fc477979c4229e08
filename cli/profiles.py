"""``shimin profiles``: files of profiles, checked and matched as a whole; ``shimin simulate``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from base.errors import InputError
from base.settings import EngineName, get_settings

if TYPE_CHECKING:
    from matcher.batch.engine import BatchEngine, Counts
    from matcher.batch.intake import IntakeReport
    from matcher.batch.simulate import Side, Simulation
    from matcher.policy import Policy

profiles = typer.Typer(help="Files of profiles (CSV, Parquet, JSON lines).", no_args_is_help=True)


class KindName(StrEnum):
    """Whose profiles a file holds."""

    ENTERPRISE = "enterprise"
    RESIDENT = "resident"


class EngineOption(StrEnum):
    """Where profiles are judged."""

    DUCKDB = "duckdb"
    POSTGRESQL = "postgresql"
    SPARK = "spark"


ProfileFile = Annotated[Path, typer.Argument(help="One profile a row, with a column id.")]
KindOption = Annotated[KindName, typer.Option("--kind", help="Whose profiles these are.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@profiles.command("check")
def check(file: ProfileFile, kind: KindOption, as_json: AsJson = False) -> None:
    """Check every value of a file; code 1 when rows would be refused."""
    with _engine(kind) as engine:
        report = _load(engine, file)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _tell_intake(report)
    raise typer.Exit(1 if report.refused else 0)


@profiles.command("match")
def match(
    source: Annotated[
        str, typer.Argument(help="A file; for another engine a table or a URL of Parquet.")
    ],
    kind: KindOption,
    output: Annotated[
        str | None,
        typer.Option(help="Policy and profile id of all who are eligible: CSV, table or URL."),
    ] = None,
    engine: Annotated[
        EngineOption | None, typer.Option(help="Instead of SHIMIN_BATCH_ENGINE.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge every profile by every policy of its kind, on this machine or where they are."""
    from matcher.policy import load_policies

    settings = get_settings()
    policies = [p for p in load_policies(settings.policies_dir) if p.audience == kind.value]
    chosen = engine.value if engine else settings.batch_engine
    if chosen == "duckdb":
        report, totals = _judge_file(Path(source), kind, policies, Path(output) if output else None)
    else:
        report, totals = _judge_there(chosen, source, kind, policies, output)
    if as_json:
        counts = {name: asdict(row) for name, row in totals.items()}
        found = {"intake": asdict(report), "policies": counts}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _tell_intake(report)
    for policy in policies:
        row = totals[policy.id]
        typer.echo(f"{policy.title}：符合 {row.eligible:,}，可能符合 {row.possible:,}")


_Judged = tuple["IntakeReport", Mapping[str, "Counts"]]


def _judge_file(
    file: Path, kind: KindName, policies: Sequence[Policy], output: Path | None
) -> _Judged:
    from matcher.batch.engine import Counts

    totals = {policy.id: Counts(0, 0, 0) for policy in policies}
    lines = ["policy,profile"]
    with _engine(kind) as engine:
        report = _load(engine, file)
        for chunk in engine.judge(policies):
            for name, counts in chunk.counts().items():
                totals[name] += counts
                if output is not None:
                    lines += [f"{name},{_cell(one)}" for one in engine.ids(chunk.eligible(name))]
    if output is not None:
        output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report, totals


def _judge_there(
    engine: EngineName, source: str, kind: KindName, policies: Sequence[Policy], output: str | None
) -> _Judged:
    from matcher.batch.cluster import connect, judge_where_they_are

    cluster = connect(engine, get_settings().batch_url.get_secret_value())
    try:
        found = judge_where_they_are(cluster, kind.value, policies, source, output)
    finally:
        cluster.close()
    return found.intake, found.counts


def simulate(
    policy_file: Annotated[Path, typer.Argument(help="The changed (or new) policy, YAML.")],
    file: Annotated[Path, typer.Option("--profiles", help="CSV, Parquet or JSON lines.")],
    html: Annotated[Path | None, typer.Option(help="Write charts to this page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who would benefit, and what would it cost, if a policy were as in a file?

    It is compared with the policy of the same id in force, if there is one.
    """
    from matcher.batch.charts import write_page
    from matcher.batch.simulate import simulate as run
    from matcher.documents import read_model
    from matcher.policy import Policy, load_policies

    after = read_model(policy_file, Policy)
    known = {policy.id: policy for policy in load_policies(get_settings().policies_dir)}
    before = known.get(after.id)
    if before is not None and before.audience != after.audience:
        raise InputError(
            "simulation_other_audience",
            "现行政策和调整后的政策面向的对象不同，无法比较。",
            f"{after.id}: {before.audience} and {after.audience}",
        )
    with _engine(KindName(after.audience)) as engine:
        report = _load(engine, file)
        found = run(engine, before, after)
    if html is not None:
        write_page(found, html)
    if as_json:
        typer.echo(json.dumps(_plain(found, report), ensure_ascii=False))
    else:
        _tell_intake(report)
        _tell_simulation(found)


def _engine(kind: KindName) -> BatchEngine:
    from matcher.batch.engine import BatchEngine

    return BatchEngine(kind.value)


def _load(engine: BatchEngine, file: Path) -> IntakeReport:
    from matcher.batch.intake import load_profiles

    return load_profiles(engine, file)


def _tell_intake(report: IntakeReport) -> None:
    typer.echo(f"共{report.rows:,}行，采用{report.accepted:,}行，拒收{report.refused:,}行")
    if report.ignored:
        typer.echo(f"不认识的列（未采用）：{'、'.join(report.ignored)}")
    for fault in report.faults[:20]:
        typer.echo(f"  第{fault.row}行 {fault.column}：{fault.reason}", err=True)
    if report.fault_count > 20:
        typer.echo(f"  ……共{report.fault_count:,}处问题，--json 可看更多", err=True)


def _tell_simulation(found: Simulation) -> None:
    typer.echo(f"《{found.policy.title}》")
    if found.before is not None:
        typer.echo(f"现行：{_side(found.before)}")
    typer.echo(f"调整后：{_side(found.after)}")
    typer.echo(f"新增{found.gained:,}，不再符合{found.lost:,}")
    if found.after.priced or (found.before and found.before.priced):
        cost = found.cost
        typer.echo(
            f"全年金额变化{_wan(cost.total)}：新增对象{_wan(cost.gained)}，"
            f"不再符合的{_wan(-cost.lost)}，一直符合的{_wan(cost.kept)}"
        )
    for axis, groups in found.groups.items():
        for group in groups:
            money = ""
            if group.yuan_before or group.yuan_after:
                money = f"，{group.yuan_before / 1e4:,.1f} → {group.yuan_after / 1e4:,.1f}万元"
            typer.echo(f"  {axis} {group.label}：{group.before:,} → {group.after:,}{money}")


def _wan(yuan: float) -> str:
    return f"{yuan / 1e4:+,.1f}万元"


def _side(side: Side) -> str:
    unpriced = side.eligible - side.priced
    money = f"全年约{side.yuan / 1e4:,.1f}万元" if side.priced else "金额无法按画像计算"
    rest = f"（另有{unpriced:,}份算不出金额）" if side.priced and unpriced else ""
    return f"符合{side.eligible:,}，可能符合{side.possible:,}，{money}{rest}"


def _plain(found: Simulation, report: IntakeReport) -> dict[str, Any]:
    return {
        "policy": found.policy.id,
        "profiles": found.profiles,
        "before": None if found.before is None else asdict(found.before),
        "after": asdict(found.after),
        "gained": found.gained,
        "lost": found.lost,
        "cost": {**asdict(found.cost), "total": found.cost.total},
        "groups": {axis: [asdict(group) for group in rows] for axis, rows in found.groups.items()},
        "intake": asdict(report),
    }


def _cell(text: str) -> str:
    """Quote a CSV cell; one that a spreadsheet would take for a formula is made text."""
    text = "'" + text if text[:1] in "=+-@\t\r" else text
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\n\r') else text
