"""The report of notices as a page of charts, and as a CSV for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import plotly.graph_objects as go

from base.charts import bars, table, write_page
from base.sheets import cell
from channels.notices.report import COLUMNS, EVERYBODY, KIND_NAMES, Row
from matcher.groups import SMALLEST, WITHHELD
from matcher.profile import Kind

__all__ = ["write_csv", "write_report_page", "write_rows"]

_WHOLE = "全部政策（每人只算一次）"
_NOTES = (
    "<p>“符合条件”是今天按已知情况肯定符合、并且同意接收通知的人数；“其中已知晓”是收到过通知、在对话里"
    "看到过或已申请的；“看过详情”是收到通知以后在对话里点开或问过这项政策的，邮件和群消息是否读过无法知道；"
    "“已申请”是本人告诉我们的，不是受理部门的数据。</p>"
    f"<p>不足{SMALLEST}人的数字不显示（&lt;{SMALLEST}）；能推算出它的数字也不显示（{WITHHELD}），"
    "图中留空。（《统计法》2009年修订，第二十五条）</p>"
)


def write_csv(rows: Sequence[Row], titles: Mapping[str, str], path: Path) -> None:
    """Write every row; a byte order mark lets Excel read it as UTF-8.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        write_rows(rows, titles, stream)


def write_rows(rows: Sequence[Row], titles: Mapping[str, str], stream: TextIO) -> None:
    """Write every row as CSV; what a spreadsheet would compute is made text."""
    writer = csv.writer(stream)
    writer.writerow(("政策编号", "政策", "对象", "分组方式", "分组", *COLUMNS.values()))
    for row in rows:
        group = row.group
        writer.writerow(
            (
                row.policy,
                cell(titles.get(row.policy, _WHOLE)),
                KIND_NAMES[group.audience],
                group.axis,
                cell(group.label),
                *(row.figures[name] for name in COLUMNS),
            )
        )


def write_report_page(rows: Sequence[Row], titles: Mapping[str, str], path: Path) -> None:
    """Write the page; a file that is there is replaced.

    Args:
        rows: of :func:`channels.notices.report.report`.
        titles: of the policies by id.
        path: of the page.

    Raises:
        OSError: it cannot be written.
    """
    parts: list[str | go.Figure] = [_NOTES]
    for kind, name in KIND_NAMES.items():
        mine = [row for row in rows if row.group.audience == kind]
        if mine:
            parts += [f"<h2>{name}</h2>", *_charts(kind, mine, titles), _wholes(mine, titles)]
    write_page(path, "政策找人：覆盖情况", parts)


def _wholes(rows: Iterable[Row], titles: Mapping[str, str]) -> str:
    heading = ("政策", *COLUMNS.values())
    cells = [
        (titles.get(row.policy, _WHOLE), *(row.figures[name] for name in COLUMNS))
        for row in rows
        if row.group.label == EVERYBODY
    ]
    return table(heading, cells)


def _charts(kind: Kind, rows: Iterable[Row], titles: Mapping[str, str]) -> list[go.Figure]:
    """One chart an axis; the policy is chosen above it."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        if row.group.axis:
            found.setdefault(row.group.axis, {}).setdefault(row.policy, []).append(row)
    charts = []
    for axis, by_policy in found.items():
        first = _series(next(iter(by_policy.values())))
        chart = bars(f"{KIND_NAMES[kind]}：按{axis}", *first)
        choices = [
            {
                "label": titles.get(policy, _WHOLE),
                "method": "restyle",
                "args": [_restyled(*_series(groups))],
            }
            for policy, groups in by_policy.items()
        ]
        place = {"x": 1, "xanchor": "right", "y": 1.2, "yanchor": "top"}
        chart.update_layout(updatemenus=[{"buttons": choices, **place}])
        charts.append(chart)
    return charts


_Series = tuple[list[str], list[tuple[str, list[float | None]]]]


def _series(groups: Sequence[Row]) -> _Series:
    """Labels, and the heights of each column; what is not shown has none."""
    return [row.group.label for row in groups], [
        (heading, [_height(row.figures[name]) for row in groups])
        for name, heading in COLUMNS.items()
    ]


def _restyled(labels: list[str], series: list[tuple[str, list[float | None]]]) -> dict[str, Any]:
    return {"x": [labels] * len(series), "y": [heights for _, heights in series]}


def _height(figure: str) -> float | None:
    return float(figure) if figure.isdigit() else None
