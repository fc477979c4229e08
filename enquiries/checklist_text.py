"""How a checklist reads in the chat: short lines, few at a time."""

from __future__ import annotations

from collections.abc import Sequence

from enquiries.checklists import Entry, Sheet
from matcher.package import Package, Step
from matcher.service import FIRST_SENTENCE, Hall, ServiceItem, Variant, first_sentence

__all__ = [
    "PAGE", "entries_on", "gone_text", "label", "next_text", "page_of", "pages",
    "progress_text", "question_text", "sheet_text", "variant_text",
]  # fmt: skip

PAGE = 6
"""Entries a message: with the two buttons below them eight, what a phone shows at once."""

_MARKS = {True: "☑", False: "☐"}
_NAME_SHOWN = 24


def label(entry: Entry) -> str:
    """Return an entry with its box."""
    return f"{_MARKS[entry.ticked]} {entry.title}"


def pages(sheet: Sheet) -> int:
    """Return how many messages the checklist takes."""
    return max(1, -(-len(sheet.entries) // PAGE))


def entries_on(sheet: Sheet, page: int) -> tuple[Entry, ...]:
    """Return the entries of a page, counted from 0; a page out of range is the nearest one."""
    page = min(max(page, 0), pages(sheet) - 1)
    return sheet.entries[page * PAGE : (page + 1) * PAGE]


def page_of(sheet: Sheet, entry: tuple[str, str]) -> int:
    """Return the page an entry stands on, 0 for an unknown one."""
    keys = [found.key for found in sheet.entries]
    return keys.index(entry) // PAGE if entry in keys else 0


def progress_text(sheet: Sheet) -> str:
    """Return how far the citizen is, in one sentence of at most ``FIRST_SENTENCE`` characters."""
    (things, of_things), (steps, of_steps) = sheet.count("material"), sheet.count("step")
    numbers = f"材料 {things}/{of_things}，步骤 {steps}/{of_steps}。"
    if things == of_things and steps == of_steps:
        numbers = "全部办完了，辛苦您了！"
    name = sheet.matter.name
    if len(name) > _NAME_SHOWN:
        name = f"{name[: _NAME_SHOWN - 1]}…"
    return f"“{name}”的清单：{numbers}"


def next_text(sheet: Sheet, halls: Sequence[Hall]) -> str | None:
    """Return the next step and how it is done; None when every step is done.

    Args:
        sheet: the checklist.
        halls: those that handle its next item.
    """
    item = sheet.next_item()
    if item is None:
        return None
    if item.online.entry:
        way = f"可以网上办：{item.online.entry}"
    elif halls:
        way = f"到{halls[0].name}（{halls[0].address}，电话{halls[0].phone}）"
    else:
        way = first_sentence(item.place.text).rstrip("。！")
    return f"下一步：{item.name}，{way}。"


def sheet_text(sheet: Sheet, page: int, halls: Sequence[Hall]) -> str:
    """Return one page of the checklist, the progress before it.

    Args:
        sheet: the checklist.
        page: counted from 0.
        halls: those that handle its next item.
    """
    lines = [progress_text(sheet)]
    following = next_text(sheet, halls)
    if following:
        lines.append(following)
    kind = None
    for entry in entries_on(sheet, page):
        if entry.kind != kind:
            kind = entry.kind
            lines.append("要准备的材料：" if kind == "material" else "要办的步骤：")
        number = sheet.of(entry.kind).index(entry) + 1
        only = "" if entry.required else "（视情况）"
        waits = "（先办前面的）" if not entry.ready and not entry.ticked else ""
        lines.append(f"{_MARKS[entry.ticked]} {number}. {entry.title}{only}{waits}")
    if pages(sheet) > 1:
        lines.append(f"第{min(max(page, 0), pages(sheet) - 1) + 1}页，共{pages(sheet)}页")
    return "\n".join(lines)


def question_text(package: Package, step: Step, item: ServiceItem, asked: int) -> str:
    """Return the question whether the citizen needs a step.

    Args:
        package: the event of life.
        step: one with ``when``.
        item: the step's item.
        asked: how many such steps were asked about already.
    """
    left = sum(1 for other in package.steps if other.when) - asked
    more = f"（最多还有{left}个小问题）" if left > 1 else "（最后一个小问题）"
    lead = f"“{item.name}”不是人人都要办。"
    if len(lead) > FIRST_SENTENCE:
        lead = "下面这一步不是人人都要办。"
    return f"{lead}{more}\n{step.when}才要办，您家是这种情况吗？"


def variant_text(item: ServiceItem, variant: Variant) -> str:
    """Return the question in which situation the citizen is, as far as it changes what to bring."""
    lead = f"“{item.name}”要带的东西，看情况不一样。"
    if len(lead) > FIRST_SENTENCE:
        lead = "要带的东西，看情况不一样。"
    return f"{lead}\n{variant.ask}"


def gone_text(names: Sequence[str]) -> str:
    """Return the note about entries that are asked for no longer."""
    return f"办事要求有变化，这几样不用了，已从清单里去掉：{'、'.join(names)}。"
