"""When may a person be spoken to? Quiet hours, and how often.

Nothing here reads the store: a moment, the settings and when the last messages were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from base.calendar import CITY_TIME
from base.settings import Settings
from matcher.notices.decide import URGENT_DAYS
from store.tickets import city_day


@dataclass(frozen=True)
class Manners:
    """The rules of decency.

    Args:
        quiet_from: hour (city time) at which nothing is sent any more.
        quiet_to: hour from which it is; the same hour: there are no quiet hours.
        cap: messages a person gets at most within ``window``.
        window: the span of the cap.
    """

    quiet_from: int
    quiet_to: int
    cap: int
    window: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Manners:
        """Take the rules from the settings."""
        return cls(
            settings.notice_quiet_from,
            settings.notice_quiet_to,
            settings.notice_cap,
            timedelta(days=settings.notice_cap_days),
        )

    def is_quiet(self, moment: datetime) -> bool:
        """Tell whether nothing may be sent at ``moment`` (aware)."""
        hour = moment.astimezone(CITY_TIME).hour
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= hour < self.quiet_to
        return hour >= self.quiet_from or hour < self.quiet_to

    def awake(self, moment: datetime) -> datetime:
        """Return the first moment from ``moment`` on that is not quiet."""
        if not self.is_quiet(moment):
            return moment
        there = moment.astimezone(CITY_TIME)
        day = there.date() + timedelta(days=there.hour >= self.quiet_to)
        return datetime.combine(day, time(self.quiet_to), CITY_TIME)

    def next_day(self, moment: datetime) -> datetime:
        """Return the first moment of the next day (city time) that is not quiet."""
        return self.awake(start_of(city_day(moment) + timedelta(days=1)))

    def free_at(
        self, now: datetime, digests: Sequence[tuple[datetime, datetime]], days_left: int | None
    ) -> datetime:
        """Return from when a message may be written; ``now`` when at once.

        One message a day, unless a window closes this very day. The last message of the cap is
        kept for what closes within a week, so that news do not use up what a deadline needs.

        Args:
            now: the present moment (aware).
            digests: when the last messages were written and when they arrived, at least those
                that arrived within the span of the cap. Arrival counts for the cap: what a mail
                server held back for a day would otherwise come on top.
            days_left: days until the first of the windows it tells of closes, None for never.
        """
        earliest = now
        last = max((written for written, _ in digests), default=None)
        if last is not None and city_day(last) >= city_day(now) and days_left != 0:
            earliest = start_of(city_day(last) + timedelta(days=1))
        urgent = days_left is not None and days_left <= URGENT_DAYS
        allowed = self.cap if urgent else max(1, self.cap - 1)
        arrived = sorted((arrival for _, arrival in digests), reverse=True)
        if len(arrived) >= allowed:
            earliest = max(earliest, arrived[allowed - 1] + self.window)
        return self.awake(earliest)


def start_of(day: date) -> datetime:
    """Return the first moment of a day in the city."""
    return datetime.combine(day, time(), CITY_TIME)
