"""A simulation as a page of charts that opens in any browser, without a network."""

from __future__ import annotations

from html import escape
from pathlib import Path

import plotly.graph_objects as go
import plotly.io

from matcher.batch.simulate import Group, Side, Simulation

__all__ = ["write_page"]

_BEFORE, _AFTER = "#9aa7b4", "#1f6feb"
_STYLE = (
    "body{font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse}td,th{padding:.3rem .9rem;border-bottom:1px solid #d8dee4;"
    "text-align:right}td:first-child,th:first-child{text-align:left}"
)


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
    figures = [
        plotly.io.to_html(chart, full_html=False, include_plotlyjs=number == 0)
        for number, chart in enumerate(charts)
    ]
    title = f"政策测算：{escape(simulation.policy.title)}"
    body = f"<h1>{title}</h1>{_summary(simulation)}{''.join(figures)}"
    path.write_text(
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>",
        encoding="utf-8",
    )


def _summary(simulation: Simulation) -> str:
    rows = [("调整后", simulation.after)]
    if simulation.before is not None:
        rows.insert(0, ("现行", simulation.before))
    cells = "".join(f"<tr><td>{name}</td>{_cells(side)}</tr>" for name, side in rows)
    return (
        f"<p>共测算{simulation.profiles:,}份画像：新增{simulation.gained:,}份符合条件，"
        f"{simulation.lost:,}份不再符合。</p>"
        "<table><tr><th></th><th>符合条件</th><th>信息不全、可能符合</th><th>全年金额（万元）</th>"
        f"<th>金额算不出的</th></tr>{cells}</table>"
    )


def _cells(side: Side) -> str:
    values = (
        f"{side.eligible:,}",
        f"{side.possible:,}",
        f"{side.yuan / 1e4:,.1f}",
        f"{side.eligible - side.priced:,}",
    )
    return "".join(f"<td>{value}</td>" for value in values)


def _chart(title: str, groups: tuple[Group, ...], *, money: bool) -> go.Figure:
    labels = [group.label for group in groups]
    if money:
        before = [group.yuan_before / 1e4 for group in groups]
        after = [group.yuan_after / 1e4 for group in groups]
    else:
        before = [float(group.before) for group in groups]
        after = [float(group.after) for group in groups]
    figure = go.Figure(
        [
            go.Bar(name="现行", x=labels, y=before, marker_color=_BEFORE),
            go.Bar(name="调整后", x=labels, y=after, marker_color=_AFTER),
        ]
    )
    figure.update_layout(title=title, barmode="group", height=380, template="plotly_white")
    return figure
