"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How text begins that a spreadsheet may take for a formula (OWASP, CSV Injection)."""


def cell(text: str) -> str:
    """Return a cell's text so that a spreadsheet shows it instead of computing it.

    An apostrophe goes in front of what begins like a formula, behind leading spaces as well.
    """
    return f"'{text}" if text.lstrip(" \n").startswith(FORMULA) else text
