"""A simulation as a page of charts that opens in any browser, without a network."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go

from base.charts import bars, table
from base.charts import write_page as write
from matcher.batch.simulate import Group, Side, Simulation

__all__ = ["write_page"]


def write_page(simulation: Simulation, path: Path) -> None:
    """Write the page; a file that is there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    charts = []
    for axis, groups in simulation.groups.items():
        charts.append(_chart(f"按{axis}：符合条件的数量", groups, money=False))
        if any(group.yuan_before or group.yuan_after for group in groups):
            charts.append(_chart(f"按{axis}：全年金额（万元）", groups, money=True))
    write(path, f"政策测算：{simulation.policy.title}", [_summary(simulation), *charts])


def _summary(simulation: Simulation) -> str:
    rows = [("调整后", *_cells(simulation.after))]
    if simulation.before is not None:
        rows.insert(0, ("现行", *_cells(simulation.before)))
    cost = simulation.cost
    return (
        f"<p>共测算{simulation.profiles:,}份画像：新增{simulation.gained:,}份符合条件，"
        f"{simulation.lost:,}份不再符合。</p>"
        f"<p>全年金额变化{_wan(cost.total)}：新增对象{_wan(cost.gained)}，"
        f"不再符合的{_wan(-cost.lost)}，一直符合的{_wan(cost.kept)}。算不出金额的没有计入。</p>"
    ) + table(
        ("", "符合条件", "信息不全、可能符合", "全年金额（万元）", "金额算不出的"),
        rows,
    )


def _wan(yuan: float) -> str:
    return f"{yuan / 1e4:+,.1f}万元"


def _cells(side: Side) -> tuple[str, ...]:
    return (
        f"{side.eligible:,}",
        f"{side.possible:,}",
        f"{side.yuan / 1e4:,.1f}",
        f"{side.eligible - side.priced:,}",
    )


def _chart(title: str, groups: tuple[Group, ...], *, money: bool) -> go.Figure:
    if money:
        before = [group.yuan_before / 1e4 for group in groups]
        after = [group.yuan_after / 1e4 for group in groups]
    else:
        before = [float(group.before) for group in groups]
        after = [float(group.after) for group in groups]
    labels = [group.label for group in groups]
    return bars(title, labels, (("现行", before), ("调整后", after)))
