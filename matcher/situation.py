"""A service item in one citizen's situation: what his variants add, take away and replace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from matcher.lexical import bare, normalise
from matcher.service import Material, Option, ServiceItem, Variant

__all__ = ["ASPECTS", "Aspect", "Situation", "chosen_options", "heard", "open_variant", "situated"]

Aspect = Literal["materials", "place", "fee", "duration", "appointment", "all"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

Situation = Mapping[str, str]
"""The options known to hold: variant id → option id."""

_CHANGES: Mapping[Aspect, tuple[str, ...]] = {
    "materials": ("materials", "without"),
    "place": ("place", "online"),
    "fee": ("fee",),
    "duration": ("time_limit",),
    "appointment": (),
    "all": ("materials", "without", "place", "online", "fee", "time_limit", "steps"),
}
"""The fields of an option that change the answer to a question; ``refused`` changes every one."""


def chosen_options(item: ServiceItem, situation: Situation) -> tuple[Option, ...]:
    """Return the options of ``item`` that hold, in the order of its variants."""
    return tuple(
        option
        for variant in item.variants
        for option in variant.options
        if situation.get(variant.id) == option.id
    )


def situated(item: ServiceItem, situation: Situation) -> ServiceItem:
    """Return ``item`` as it is for somebody in ``situation``; unknown variants change nothing.

    Where two options replace the same field, the later variant's wins.
    """
    options = chosen_options(item, situation)
    if not options:
        return item
    replaced = {
        field: value
        for option in options
        for field in ("steps", "fee", "time_limit", "place", "online")
        if (value := getattr(option, field)) is not None
    }
    return item.model_copy(update={"materials": _materials(item, options), **replaced})


def open_variant(item: ServiceItem, aspect: Aspect, situation: Situation) -> Variant | None:
    """Return the first variant not settled yet that changes the answer about ``aspect``."""
    for variant in item.variants:
        if variant.id in situation:
            continue
        if any(_changes(option, aspect) for option in variant.options):
            return variant
    return None


def heard(item: ServiceItem, text: str) -> dict[str, str]:
    """Return the situation that ``text`` tells of: variant id → option id.

    An option is heard by its label or one of its words. Of several in one variant the longest
    words count (不是本人 holds 本人); equally long ones of two options say nothing.
    """
    words = bare(normalise(text))
    found: dict[str, str] = {}
    for variant in item.variants:
        lengths = {option.id: _longest(option, words) for option in variant.options}
        best = max(lengths.values())
        heard_best = [identifier for identifier, length in lengths.items() if length == best]
        if best and len(heard_best) == 1:
            found[variant.id] = heard_best[0]
    return found


def _longest(option: Option, words: str) -> int:
    names = (bare(normalise(name)) for name in (option.label, *option.words))
    return max((len(name) for name in names if name in words), default=0)


def _changes(option: Option, aspect: Aspect) -> bool:
    return bool(option.refused) or any(getattr(option, field) for field in _CHANGES[aspect])


def _materials(item: ServiceItem, options: Iterable[Option]) -> tuple[Material, ...]:
    options = tuple(options)
    dropped = {name for option in options for name in option.without}
    kept = {m.name: m for m in item.materials if m.name not in dropped}
    for option in options:
        kept.update({material.name: material for material in option.materials})
    return tuple(kept.values())
