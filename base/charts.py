"""Pages of charts for officials, one file that opens in any browser without a network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
import plotly.io

__all__ = ["bars", "table", "write_page"]

_COLOURS = ("#9aa7b4", "#1f6feb", "#2da44e", "#bf8700", "#8250df")
_STYLE = (
    "body{font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "table{border-collapse:collapse}td,th{padding:.3rem .9rem;border-bottom:1px solid #d8dee4;"
    "text-align:right}td:first-child,th:first-child{text-align:left}"
)


def bars(
    title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]
) -> go.Figure:
    """Return a chart of bars side by side; None draws none.

    Args:
        title: above the chart.
        labels: (groups,) below it.
        series: name and (groups,) heights of each colour.
    """
    figure = go.Figure(
        [
            go.Bar(name=name, x=list(labels), y=list(heights), marker_color=colour)
            for (name, heights), colour in zip(series, _COLOURS, strict=False)
        ]
    )
    figure.update_layout(title=title, barmode="group", height=380, template="plotly_white")
    figure.update_xaxes(type="category")
    return figure


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in HTML; every cell is text."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def write_page(path: Path, title: str, parts: Sequence[str | go.Figure]) -> None:
    """Write a page of charts and HTML, in order; a file that is there is replaced.

    Raises:
        OSError: it cannot be written.
    """
    written, drawn = [], 0
    for part in parts:
        if isinstance(part, str):
            written.append(part)
            continue
        written.append(plotly.io.to_html(part, full_html=False, include_plotlyjs=drawn == 0))
        drawn += 1
    path.write_text(
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{''.join(written)}</body></html>",
        encoding="utf-8",
    )
