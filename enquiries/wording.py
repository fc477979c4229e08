"""What is said about a service item: the answer in one short sentence, then the details."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from matcher.gathering import Gathered, gather
from matcher.package import Package
from matcher.service import FIRST_SENTENCE, Hall, Material, ServiceItem, first_sentence
from matcher.situation import Aspect, Situation, chosen_options, situated

__all__ = [
    "answer", "halls_text", "materials_text", "package_answer", "source", "spoken", "steps_text",
]  # fmt: skip

_SHOWN_HALLS = 3


def answer(item: ServiceItem, aspect: Aspect, halls: Sequence[Hall], situation: Situation) -> str:
    """Return the answer to a question about ``aspect`` of ``item`` for one ``situation``.

    Its first sentence has at most ``FIRST_SENTENCE`` characters and can stand alone. The last
    line names the item, its department and the day it was last checked.
    """
    options = chosen_options(item, situation)
    for option in options:
        if option.refused:
            return f"{option.refused}\n{source(item)}"
    now = situated(item, situation)
    body = _BODIES[aspect](now, halls)
    if aspect == "all" and not options:  # the one sentence holds for the plain case only
        body = f"{item.answer}\n{body}"
    notes = [option.note for option in options if option.note]
    return "\n".join([body, *notes, source(item)])


def spoken(text: str, sentences: int = 2) -> str:
    """Return the short version that is read aloud: the first ``sentences`` of ``text``."""
    said: list[str] = []
    rest = text.strip()
    while rest and len(said) < sentences:
        sentence = first_sentence(rest)
        rest = rest[len(sentence) :].strip()
        said.append(sentence)
    return "".join(said)


def source(item: ServiceItem) -> str:
    """Return the line that says where an answer comes from."""
    return f"（{item.name}；{item.department}；{_day(item.checked)}核对）"


def materials_text(materials: Iterable[Material | Gathered]) -> str:
    """Return the numbered list of materials."""
    return "\n".join(
        f"{number}. {material.name}{'' if material.required else '（视情况）'}"
        + (f"：{material.note}" if material.note else "")
        for number, material in enumerate(materials, start=1)
    )


def steps_text(steps: Iterable[str]) -> str:
    """Return the numbered list of steps."""
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def halls_text(halls: Sequence[Hall]) -> str:
    """Return the nearest or first three halls, a line each."""
    return "\n".join(
        f"· {hall.name}：{hall.address}，{hall.opening}（法定节假日除外），电话{hall.phone}"
        for hall in halls[:_SHOWN_HALLS]
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _materials(item: ServiceItem, _halls: Sequence[Hall]) -> str:
    required = [material.name for material in item.materials if material.required]
    lead = f"要带{len(required)}样：{'、'.join(required)}。" if required else "没有一定要带的材料。"
    if len(lead) > FIRST_SENTENCE:
        lead = f"要带{len(required)}样，下面一样一样列出来。"
    return f"{lead}\n{materials_text(item.materials)}"


def _place(item: ServiceItem, halls: Sequence[Hall]) -> str:
    lines = [item.place.text, halls_text(halls), f"网上办理：{item.online.text}"]
    return "\n".join(line for line in lines if line)


def _fee(item: ServiceItem, _halls: Sequence[Hall]) -> str:
    return item.fee.text


def _duration(item: ServiceItem, _halls: Sequence[Hall]) -> str:
    return item.time_limit.text


def _appointment(item: ServiceItem, _halls: Sequence[Hall]) -> str:
    return item.appointment.text


def _all(item: ServiceItem, _halls: Sequence[Hall]) -> str:
    return (
        f"{item.summary}\n"
        f"要带：{'、'.join(m.name for m in item.materials if m.required) or '没有一定要带的'}\n"
        f"怎么办：\n{steps_text(item.steps)}\n"
        f"在哪办：{item.place.text}\n"
        f"网上办理：{item.online.text}\n"
        f"费用：{item.fee.text}\n"
        f"多久：{item.time_limit.text}"
    )


def package_answer(package: Package, items: Sequence[ServiceItem]) -> str:
    """Return what an event of life takes: its steps in order and one list of materials.

    What to mind of each thing is left to the items, the card and the checklist: on a phone the
    whole would be three screens long.

    Args:
        package: the event.
        items: its service items in the situation it settles, in the order of its steps.
    """
    lines = [package.answer, "按这个顺序办："]
    for number, (step, item) in enumerate(zip(package.steps, items, strict=True), start=1):
        online = "，可网上办" if item.online.entry else ""
        when = f"（{step.when}才办）" if step.when else ""
        lines.append(f"{number}. {item.name}{online}{when}")
    always = [item for step, item in zip(package.steps, items, strict=True) if step.when is None]
    names = [thing.name for thing in gather(always) if thing.required]
    if names:
        lines.append(f"人人都要带的：{'、'.join(names)}。")
    if package.joint:
        lines.append(package.joint)
    lines.append("点“建个清单”，问您几个小问题，只留下您家要办的，备好一样勾一样。")
    lines.append(f"（{package.name}；{package.department}；{_day(package.checked)}核对）")
    return "\n".join(lines)


_BODIES: Mapping[Aspect, Callable[[ServiceItem, Sequence[Hall]], str]] = {
    "materials": _materials,
    "place": _place,
    "fee": _fee,
    "duration": _duration,
    "appointment": _appointment,
    "all": _all,
}
