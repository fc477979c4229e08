"""The editors' check of the service catalogue: what no schema can see.

A schema keeps a file well-formed; this finds what is well-formed and still wrong for a citizen:
an item nobody has looked at for a year, a nickname that leads elsewhere, two items or two
fields that contradict each other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from rapidfuzz import fuzz

from enquiries.bookings import bookable_halls
from matcher.catalogue import Catalogue
from matcher.guides import Guides
from matcher.lexical import bare, normalise
from matcher.package import Package
from matcher.service import ServiceItem
from matcher.situation import situated

__all__ = ["Remark", "core", "package_names", "review"]

Level = Literal["error", "warning"]

ALIKE = 92
"""Likeness (rapidfuzz ratio, 0 to 100) from which two names of materials seem to be one thing."""

_YUAN = re.compile(r"(\d+(?:\.\d+)?)\s*元")
_CHARGED = re.compile(r"(?:费|交|收)[^，。、]{0,6}?(\d+(?:\.\d+)?)元")
"""An amount the citizen pays; others in an answer are what he gets."""
_FREE = re.compile(r"不收费|免费|免收|不收取|不用交费|不花钱|零费用|(?<!\d)0元")
_HOLDER = re.compile(r"^(?:本人|申请人|父母|夫妻双方|家长)(?:双方)?的?")
_FILLER = re.compile(r"的|居民(?=身份证|户口簿)")
_KIND = re.compile(r"(?:证明|证明材料|材料|凭证|文件|信息)$")
_OWNED = frozenset({"居民身份证", "居民户口簿"})
_NO_APPOINTMENT = re.compile(r"^(不需要|无需|不用|不必|无须)预约")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing an editor should look at.

    Args:
        level: an error misleads citizens today; a warning may.
        matter: id of the item or package.
        field: where in its file.
        text: what is wrong, in Chinese.
    """

    level: Level
    matter: str
    field: str
    text: str


def review(catalogue: Catalogue, today: date) -> tuple[Remark, ...]:
    """Return what is wrong or doubtful, errors first, then by item."""
    remarks = [
        *_overdue(catalogue, today),
        *_empty(catalogue),
        *_shared_names(catalogue),
        *_dead_aliases(catalogue),
        *_fees(catalogue),
        *_appointments(catalogue),
        *_windows(catalogue),
        *_materials(catalogue.services),
        *package_names(catalogue),
        *_package_results(catalogue),
    ]
    return tuple(sorted(remarks, key=lambda r: (r.level, r.matter, r.field, r.text)))


def _matters(catalogue: Catalogue) -> tuple[ServiceItem | Package, ...]:
    return (*catalogue.services, *catalogue.packages)


def _overdue(catalogue: Catalogue, today: date) -> Iterator[Remark]:
    for matter in _matters(catalogue):
        if matter.review_by < today:
            days = (today - matter.review_by).days
            yield Remark("error", matter.id, "review_by", f"已过复核日期{days}天，请核对后更新。")
        if matter.checked > today:
            yield Remark("error", matter.id, "checked", "核对日期在将来。")


def _empty(catalogue: Catalogue) -> Iterator[Remark]:
    """Fields the schema leaves open and a citizen misses."""
    for item in catalogue.services:
        if not item.conditions:
            yield Remark("warning", item.id, "conditions", "没有填写。")
        if not item.place.halls and not item.online.entry:
            yield Remark(
                "warning", item.id, "place.halls", "没有大厅，也没有网上入口，市民不知去哪办。"
            )
        if all(basis.article is None for basis in item.basis):
            yield Remark("warning", item.id, "basis", "依据没有写到条款。")


def _shared_names(catalogue: Catalogue) -> Iterator[Remark]:
    owners: dict[str, set[str]] = defaultdict(set)
    for matter in (*_matters(catalogue), *catalogue.elsewhere):
        for name in (matter.name, *matter.aliases):
            owners[bare(normalise(name))].add(matter.id)
    for name, ids in owners.items():
        for one, other in combinations(sorted(ids), 2):
            yield Remark("error", one, "aliases", f"“{name}”也是 {other} 的名称。")


def _dead_aliases(catalogue: Catalogue) -> Iterator[Remark]:
    """Nicknames that the finder neither answers from nor offers."""
    for matter in _matters(catalogue):
        for alias in matter.aliases:
            found = catalogue.service_finder.find(alias)
            offered = [candidate.item.id for candidate in found.candidates]
            if matter.id not in offered:
                led = f"实际找到的是 {offered[0]}" if offered else "什么也找不到"
                yield Remark("error", matter.id, "aliases", f"用“{alias}”找不到本事项，{led}。")


def _fees(catalogue: Catalogue) -> Iterator[Remark]:
    for item in catalogue.services:
        named = [float(amount) for amount in _YUAN.findall(item.fee.text)]
        amount = item.fee.amount
        if amount and amount not in named:
            yield Remark("error", item.id, "fee", f"金额写{amount:g}元，文字里没有这个数。")
        if amount == 0 and any(named) and not _FREE.search(item.fee.text):
            yield Remark("error", item.id, "fee", "金额为0，文字却说要收钱。")
        for said in _CHARGED.findall(item.answer):
            if amount is not None and float(said) != amount and float(said) not in named:
                yield Remark("error", item.id, "answer", f"说{said}元，费用里没有这个数。")


def _appointments(catalogue: Catalogue) -> Iterator[Remark]:
    for item in catalogue.services:
        if item.appointment.required and _NO_APPOINTMENT.search(item.appointment.text):
            yield Remark("error", item.id, "appointment", "标了必须预约，文字却说不用预约。")
        if item.appointment.bookable and not item.place.halls:
            yield Remark("error", item.id, "appointment.bookable", "可以预约，却没有大厅。")
        elif item.appointment.bookable and not bookable_halls(item, catalogue.halls_for(item)):
            text = "可以预约，可是哪个大厅都没有给它放号（halls.yml 的 booking）。"
            yield Remark("error", item.id, "appointment.bookable", text)


def _windows(catalogue: Catalogue) -> Iterator[Remark]:
    halls = {hall.id: hall for hall in catalogue.halls}
    for item in catalogue.services:
        for name in item.place.halls:
            if item.domain not in halls[name].domains:
                yield Remark(
                    "error",
                    item.id,
                    "place.halls",
                    f"{halls[name].name}没有 {item.domain} 的窗口。",
                )


def _materials(services: Sequence[ServiceItem]) -> Iterator[Remark]:
    """Two names for one thing: a package would ask for it twice."""
    users: dict[str, list[str]] = defaultdict(list)
    for item in services:
        for material in item.materials:
            users[material.name].append(item.id)
    for one, other in combinations(sorted(users), 2):
        if fuzz.ratio(one, other) >= ALIKE:
            rare, usual = sorted((one, other), key=lambda name: len(users[name]))
            yield Remark(
                "warning", users[rare][0], "materials", f"“{rare}”和别处的“{usual}”像是同一样东西。"
            )


def core(name: str) -> str:
    """Return what a material's name says once words that tell no things apart are left out.

    监护人的居民身份证 is 监护人身份证, 亲属关系证明 is 亲属关系材料, 父母的居民身份证 is the
    applicant's own. Whose it is otherwise (逝者的, 代办人) does tell things apart.
    """
    short = _FILLER.sub("", _HOLDER.sub("", name))
    return _KIND.sub("", short) or short


def package_names(catalogue: Catalogue | Guides) -> Iterator[Remark]:
    """A package that asks for one thing under two names, or for what it gives under another."""
    for package in catalogue.packages:
        names: dict[str, set[str]] = defaultdict(set)
        given: dict[str, str] = {}
        for step in package.steps:
            item = catalogue.service(step.service)
            if item is None:
                continue
            for material in situated(item, step.situation).materials:
                names[core(material.name)].add(material.name)
                gift = given.get(core(material.name), material.name)
                if gift != material.name:
                    yield Remark(
                        "error", package.id, "steps",
                        f"{item.name}要的“{material.name}”就是前面给的“{gift}”，请用同一个名称。",
                    )  # fmt: skip
            given.update({core(result): result for result in item.results})
        for alike in names.values():
            if len(alike) > 1:
                listed = "”和“".join(sorted(alike))
                yield Remark("error", package.id, "steps", f"“{listed}”是同一样东西，会要两次。")


def _package_results(catalogue: Catalogue) -> Iterator[Remark]:
    """A package step that needs what only a later step gives, and not everybody has already."""
    for package in catalogue.packages:
        items = [item for step in package.steps if (item := catalogue.service(step.service))]
        for place, item in enumerate(items):
            needed = {m.name for m in item.materials if m.required} - _OWNED
            for later in items[place + 1 :]:
                for name in sorted(needed & set(later.results) - _given(items[:place])):
                    yield Remark(
                        "warning", package.id, "steps",
                        f"{item.name}要用“{name}”，它却是后面的{later.name}才给的。",
                    )  # fmt: skip


def _given(items: Sequence[ServiceItem]) -> set[str]:
    return {result for item in items for result in item.results}
