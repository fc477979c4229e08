"""Writes ``docs/profile.md``, the table of every profile column, from the columns themselves.

``python -m matcher.profile_docs`` rewrites it; a test keeps it in step.
"""

from __future__ import annotations

from base.settings import ROOT
from matcher.attributes import Attribute
from matcher.profile import ATTRIBUTES

__all__ = ["PATH", "render"]

PATH = ROOT / "docs" / "profile.md"
_HEAD = """# Profile columns

A profile file is `{"kind": "enterprise" | "resident", "id": "…", "attributes": {…}}`. Its
attributes are the columns below. A column that is absent or null is unknown: never false,
never zero. Policies write their conditions over these names.

This page is generated: `python -m matcher.profile_docs`.
"""
_TITLES = {"enterprise": "Enterprise", "resident": "Resident"}
_TABLE_HEAD = (
    "| name | type | unit | range or choices | label | question |\n|---|---|---|---|---|---|"
)


def render() -> str:
    """Return the page as Markdown text."""
    parts = [_HEAD]
    for kind, columns in ATTRIBUTES.items():
        rows = "\n".join(_row(column) for column in columns.values())
        parts.append(f"## {_TITLES[kind]}\n\n{_TABLE_HEAD}\n{rows}\n")
    return "\n".join(parts)


def _row(column: Attribute) -> str:
    name = f"`{column.name}`" + (" (derived unless given)" if column.derived else "")
    cells = (name, column.type, column.unit, _range(column), column.label, column.question)
    return f"| {' | '.join(cells)} |"


def _range(column: Attribute) -> str:
    if column.choices:
        return ", ".join(f"`{choice.value}` {choice.label}" for choice in column.choices)
    if column.type in ("boolean", "choice"):
        return ""
    low = "" if column.minimum is None else f"{column.minimum:g}"
    high = "" if column.maximum is None else f"{column.maximum:.0f}"
    return f"{low} – {high}".strip() if low or high else "any"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
