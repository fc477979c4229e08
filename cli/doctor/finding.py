"""What an examination found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """How a part is: ``warning`` serves citizens, ``failed`` does not, ``unused`` is not set up."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNUSED = "unused"


class Words(NamedTuple):
    """The same in Chinese and in English."""

    zh: str
    en: str


NOTHING = Words("", "")


@dataclass(frozen=True)
class Finding:
    """One part: its stable name, how it is, what was seen and what the operator does."""

    part: str
    title: Words
    state: State
    seen: str = ""
    todo: Words = NOTHING
