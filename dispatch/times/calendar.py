"""Workdays, weekends and holidays of the city, as data (``calendar.yml``)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from dispatch.files import read_mapping, validate

DayKind = Literal["workday", "weekend", "holiday"]


class _Span(BaseModel):
    """Days off of one holiday (first and last included), and days worked instead (调休)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    first: date
    last: date
    worked: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_ordered(self) -> _Span:
        if self.last < self.first:
            raise ValueError("last must not lie before first")
        if any(self.first <= day <= self.last for day in self.worked):
            raise ValueError("a worked day lies inside the holiday")
        return self


class Calendar(BaseModel):
    """What kind of day a day is.

    In a year the file does not list, only the day of the week counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    holidays: tuple[_Span, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Calendar:
        """Read a calendar file.

        Raises:
            ConfigurationError: naming the file and the field at fault.
        """
        return validate(cls, read_mapping(path), str(path))

    @property
    def years(self) -> frozenset[int]:
        """The years whose holidays are known."""
        return frozenset(span.last.year for span in self.holidays)

    def kind(self, day: date) -> DayKind:
        """Return the kind of a day; a weekend day inside a holiday is a holiday."""
        for span in self.holidays:
            if span.first <= day <= span.last:
                return "holiday"
            if day in span.worked:
                return "workday"
        return "weekend" if day.weekday() >= 5 else "workday"
