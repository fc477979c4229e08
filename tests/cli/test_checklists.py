"""What docs/security.md and docs/privacy.md say is held against the tests, commands and tables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from base.settings import ROOT, Settings
from store.every_table import load_tables
from store.models import Base
from store.privacy import Encrypted
from tests.cli.commands import is_command

OPEN, NOTHING = "**open**", "–"
QUOTED = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#]+\.md)")
GENERATORS = (
    "openai",
    "anthropic",
    "dashscope",
    "zhipuai",
    "langchain",
    "llama-cpp-python",
    "vllm",
)


def rows(page: str, heading: str = "") -> list[list[str]]:
    """Return the cells of the first table below a heading (or of the page), without its head."""
    text = (ROOT / "docs" / page).read_text("utf-8").partition(heading)[2] if heading else ""
    lines = (text or (ROOT / "docs" / page).read_text("utf-8")).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    table = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


SECURITY = rows("security.md")
SHOWN = [(row[0], shown) for row in SECURITY for shown in QUOTED.findall(row[2])]


# --- security.md --------------------------------------------------------------------------


@pytest.mark.parametrize("row", SECURITY, ids=[row[0] for row in SECURITY])
def test_every_line_is_shown_by_something_or_open(row: list[str]) -> None:
    assert len(row) == 3
    if row[2] == NOTHING:
        assert OPEN in row[1]
    else:
        assert QUOTED.findall(row[2])


@pytest.mark.parametrize(("asked", "shown"), SHOWN, ids=[shown for _, shown in SHOWN])
def test_what_shows_a_line_exists(asked: str, shown: str) -> None:
    words = shown.split()
    if words[0] == "shimin":
        assert is_command([word for word in words[1:] if not word.startswith("--")])
    elif words[0] == "make":
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text("utf-8")
    elif words[0] == "python":
        module = [word for word in words[1:] if not word.startswith("-")][-1]
        path = module if module.endswith(".py") else f"{module.replace('.', '/')}.py"
        assert (ROOT / path).is_file()
    else:
        file, _, test = shown.partition("::")
        assert test in named_tests(ROOT / "tests" / file)


@lru_cache
def named_tests(path: Path) -> frozenset[str]:
    """Name the test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_the_reader_of_the_list_can_fail() -> None:
    assert not is_command(["audit", "praise"])
    assert "test_nothing_of_the_kind" not in named_tests(Path(__file__))


def test_pages_that_are_linked_exist() -> None:
    for page in ("security.md", "privacy.md", "observability.md", "deployment.md", "capacity.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        missing = [name for name in LINK.findall(text) if not (ROOT / "docs" / name).is_file()]
        assert missing == [], page


def test_nothing_here_generates_text() -> None:
    """Instructions in a citizen's words reach nothing that would follow them."""
    for lock in (ROOT / "requirements.lock", ROOT / "bot" / "requirements.lock"):
        installed = {line.partition("==")[0].lower() for line in lock.read_text("utf-8").split()}
        assert installed.isdisjoint(GENERATORS)
    assert "LLM" not in (ROOT / "config.yml").read_text("utf-8")


# --- privacy.md ---------------------------------------------------------------------------


def encrypted(table: str) -> set[str]:
    return {c.name for c in Base.metadata.tables[table].columns if isinstance(c.type, Encrypted)}


def named_tables() -> Iterator[tuple[str, str, str]]:
    """Yield the name of a table, that of a column (or nothing) and how the page protects it."""
    load_tables()
    for _, where, protection in rows("privacy.md"):
        for name in QUOTED.findall(where):
            table, _, column = name.partition(".")
            if table in Base.metadata.tables:
                yield table, column.partition("/")[0], protection


PROTECTED = list(named_tables())


def test_the_privacy_page_names_tables_that_there_are() -> None:
    assert len({table for table, _, _ in PROTECTED}) > 20
    for table, column, _ in PROTECTED:
        assert not column or column in Base.metadata.tables[table].columns


@pytest.mark.parametrize(
    ("table", "column"),
    [(t, c) for t, c, protection in PROTECTED if re.match(r"columns? encrypted", protection)],
)
def test_what_the_privacy_page_calls_encrypted_is(table: str, column: str) -> None:
    assert encrypted(table)
    assert not column or column in encrypted(table)


def test_no_table_with_encrypted_columns_is_left_out() -> None:
    load_tables()
    named = {table for table, _, _ in PROTECTED}
    assert {name for name in Base.metadata.tables if encrypted(name)} <= named


def test_periods_are_the_settings_own() -> None:
    seen = 0
    for what, days, settings, _ in rows("privacy.md", "## Periods"):
        names, told = QUOTED.findall(settings), re.findall(r"\d+", days)
        for name, number in zip(names, told, strict=False):
            seen += 1
            assert Settings.model_fields[name.lower()].default == int(number), what
    assert seen > 10
