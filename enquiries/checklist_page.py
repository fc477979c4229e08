"""A checklist to print and keep: everything one needs on the way, and nothing of the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from enquiries.checklists import Guides, Sheet
from matcher.package import Package
from matcher.service import Basis, Hall, ServiceItem

__all__ = ["PrintStep", "PrintThing", "Printout", "as_text", "printout"]


@dataclass(frozen=True)
class PrintThing:
    """A thing to bring with what each item says of it."""

    number: int
    name: str
    ticked: bool
    required: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PrintStep:
    """An item to do: how, where, when and for how much; ``halls`` are names."""

    number: int
    name: str
    ticked: bool
    after: tuple[str, ...]
    note: str | None
    online: str
    place: str
    hours: str
    halls: tuple[str, ...]
    fee: str
    time_limit: str
    appointment: str
    phone: str
    source: str


@dataclass(frozen=True)
class Printout:
    """The page; ``printed`` is the day it was made, city time.

    ``halls`` stand once, however many steps they handle.
    """

    title: str
    progress: str
    things: tuple[PrintThing, ...]
    steps: tuple[PrintStep, ...]
    joint: str | None
    halls: tuple[Hall, ...]
    department: str
    phone: str
    sources: tuple[str, ...]
    printed: date


def printout(sheet: Sheet, guides: Guides, today: date) -> Printout:
    """Return the page of a checklist."""
    matter = sheet.matter
    things = tuple(
        PrintThing(
            number,
            thing.name,
            entry.ticked,
            thing.required,
            thing.notes,
        )
        for number, (entry, thing) in enumerate(
            zip(sheet.of("material"), sheet.gathered, strict=True), start=1
        )
    )
    (have, of_things), (done, of_steps) = sheet.count("material"), sheet.count("step")
    bases: list[Basis] = [*matter.basis, *(basis for item in sheet.items for basis in item.basis)]
    return Printout(
        title=f"{matter.name}清单",
        progress=f"材料备好{have}样，共{of_things}样；步骤办完{done}步，共{of_steps}步",
        things=things,
        steps=_steps(sheet, guides),
        joint=matter.joint if isinstance(matter, Package) else None,
        halls=tuple(
            {hall.id: hall for item in sheet.items for hall in guides.halls_for(item)}.values()
        ),
        department=matter.department,
        phone=matter.phone,
        sources=tuple(dict.fromkeys(basis.title + (basis.article or "") for basis in bases)),
        printed=today,
    )


def as_text(page: Printout) -> str:
    """Return the page as plain text, for a message or a program that reads aloud."""
    lines = [page.title, page.progress, "", "一、要准备的材料"]
    for thing in page.things:
        only = "" if thing.required else "（视情况）"
        lines.append(f"{_box(thing.ticked)} {thing.number}. {thing.name}{only}")
        lines += [f"    {note}" for note in thing.notes]
    lines += ["", "二、要办的步骤"]
    if page.joint:
        lines.append(page.joint)
    for step in page.steps:
        lines.append(f"{_box(step.ticked)} {step.number}. {step.name}")
        lines += [f"    {line}" for line in _step_lines(step)]
    if page.halls:
        lines += ["", "三、大厅在哪、几点开门（法定节假日除外）"]
    for hall in page.halls:
        lines.append(f"· {hall.name}：{hall.address}，{hall.opening}，电话{hall.phone}")
    lines += ["", "依据", *(f"· {source}" for source in page.sources), ""]
    lines.append(f"{page.department}，咨询电话 {page.phone}")
    lines.append(f"{_day(page.printed)}生成。办理前可以再问一遍，以办事窗口当天的要求为准。")
    return "\n".join(lines) + "\n"


def _step_lines(step: PrintStep) -> list[str]:
    lines = [f"先办完：{'、'.join(step.after)}"] if step.after else []
    lines += [step.note] if step.note else []
    lines += [f"网上办：{step.online}", f"现场办：{step.place}"]
    lines += [f"大厅：{'、'.join(step.halls)}"] if step.halls else [f"窗口时间：{step.hours}"]
    return [
        *lines,
        f"费用：{step.fee}",
        f"多久：{step.time_limit}",
        f"预约：{step.appointment}",
        f"电话：{step.phone}",
        step.source,
    ]


def _steps(sheet: Sheet, guides: Guides) -> tuple[PrintStep, ...]:
    package = sheet.matter if isinstance(sheet.matter, Package) else None
    steps = {step.service: step for step in package.steps} if package else {}
    names = {item.id: item.name for item in sheet.items}
    found = []
    for number, (entry, item) in enumerate(
        zip(sheet.of("step"), sheet.items, strict=True), start=1
    ):
        step = steps.get(item.id)
        found.append(
            PrintStep(
                number=number,
                name=item.name,
                ticked=entry.ticked,
                after=tuple(names[one] for one in entry.after if one in names),
                note=step.note if step else None,
                online=item.online.text,
                place=item.place.text,
                hours=item.place.hours,
                halls=tuple(hall.name for hall in guides.halls_for(item)),
                fee=item.fee.text,
                time_limit=item.time_limit.text,
                appointment=item.appointment.text,
                phone=item.phone,
                source=_source(item),
            )
        )
    return tuple(found)


def _source(item: ServiceItem) -> str:
    return f"{item.department}，{_day(item.checked)}核对"


def _box(ticked: bool) -> str:
    return "☑" if ticked else "☐"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
