"""Questions that found no answer: what waits for an editor, what was done, what was not understood.

The list is shared with ``shimin services unanswered`` (:mod:`enquiries.question_desk`).
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog
from fastapi import Request, Response

from base.encoder import get_encoder
from base.errors import ConfigurationError, InputError, StateError
from base.settings import Settings
from channels.console.areas import staff_of, visitor_of
from channels.console.forms import Posted
from channels.console.masking import actor_of
from channels.console.pages import console_of, console_router, see_other
from channels.public.kept import Kept
from enquiries import question_desk, unclear
from enquiries.question_desk import KINDS, OUTCOME_WORDS
from enquiries.unanswered import Cluster, group
from matcher.catalogue import Catalogue
from matcher.elsewhere import Elsewhere
from matcher.finder import Matter, ServiceFinder
from matcher.package import Package
from store.database import unit_of_work
from store.models import utc_now
from store.settled_groups import LONGEST_NOTE, Outcome
from store.unclear import read_unclear

log = structlog.get_logger(__name__)

HOME = "/console/unanswered"
SPANS = (7, 30, 90)
"""Days an editor may look back."""
GOOD_FOR_SECONDS = 300.0
MOST_SHOWN = 100
_MOST_UNCLEAR = 1000
_IDS = re.compile(r"\d{1,9}(,\d{1,9}){0,2999}")

router = console_router(HOME, staff_of("unanswered"))


@dataclass(frozen=True)
class Item:
    """A matter of the catalogue as an editor compares it with a question."""

    id: str
    name: str
    kind: str
    file: str
    answer: str
    aliases: tuple[str, ...]
    questions: tuple[str, ...]
    department: str


class QuestionDesk:
    """What the pages work with; one of it a gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._state: frozenset[tuple[str, int, int]] | None = None
        self._kept: Kept[list[Cluster]] = Kept(GOOD_FOR_SECONDS)

    def finder(self) -> ServiceFinder:
        """Return the finder over the files as they are now.

        Raises:
            ConfigurationError: the files are wrong.
        """
        with self._lock:
            state = self._files()
            if self._catalogue is None:
                self._catalogue = Catalogue.load(self._settings)
            elif state != self._state:
                self._catalogue = self._catalogue.refreshed(self._settings)
            self._state = state
            return self._catalogue.service_finder

    def waiting(self, days: int, actor: str) -> list[Cluster]:
        """Return the groups nobody has dealt with, some minutes old at most (audited).

        Nothing holds the store while they are grouped, which may take some seconds.
        """
        return self._kept.get((actor, days), lambda: self._grouped(days, actor))

    def changed(self) -> None:
        """Look anew at the next call: a group was dealt with, or put back."""
        self._kept = Kept(GOOD_FOR_SECONDS)

    def _grouped(self, days: int, actor: str) -> list[Cluster]:
        with unit_of_work() as session:
            questions, done = question_desk.kept(session, actor=actor, now=utc_now(), days=days)
        if not questions:
            return []
        encoder = get_encoder(self._settings.embedding_model)
        return group(questions, self.finder(), encoder, done)

    def _files(self) -> frozenset[tuple[str, int, int]]:
        return frozenset(
            (str(path), stat.st_mtime_ns, stat.st_size)
            for path in self._settings.policies_dir.rglob("*.yml")
            for stat in [path.stat()]
        )


@router.get("")
def waiting_page(request: Request, days: str = "") -> Response:
    """Show the groups that wait, the most asked first."""
    return _waiting(request, _span(days))


@router.post("/settle")
def settle(request: Request, form: Posted) -> Response:
    """Mark a group as dealt with."""
    desk, actor = _desk(request), actor_of(visitor_of(request).staff)
    given, days = form.one("questions"), _span(form.one("days"))
    if not _IDS.fullmatch(given):
        raise InputError("questions_missing", "没有这组问题，请刷新列表。", "questions")
    matter = form.one("matter").strip()
    try:
        finder = desk.finder()
        with unit_of_work() as session:
            question_desk.mark_done(
                session,
                finder,
                [int(one) for one in given.split(",")],
                cast(Outcome, form.one("outcome")),
                actor=actor,
                now=utc_now(),
                matter=matter,
                note=form.one("note"),
            )
    except (InputError, StateError, ConfigurationError) as error:
        if isinstance(error, StateError):
            desk.changed()
        return _waiting(request, days, problem=error.message)
    desk.changed()
    return see_other(f"{HOME}?days={days}")


@router.get("/done")
def done_page(request: Request, days: str = "") -> Response:
    """Show what was dealt with, the newest first."""
    chosen, actor = _span(days), actor_of(visitor_of(request).staff)
    with unit_of_work() as session:
        groups = question_desk.settled(session, actor=actor, now=utc_now(), days=chosen)
    return _page(request, "unanswered_done.html", chosen, "done", groups=groups)


@router.post("/reopen")
def reopen(request: Request, form: Posted) -> Response:
    """Put a group back on the list."""
    desk, actor = _desk(request), actor_of(visitor_of(request).staff)
    number = form.one("group")
    if not re.fullmatch(r"\d{1,9}", number):
        raise InputError("group_missing", "没有这条处理记录，请刷新列表。", "group")
    with unit_of_work() as session:
        question_desk.take_back(session, int(number), actor=actor)
    desk.changed()
    return see_other(f"{HOME}/done?days={_span(form.one('days'))}")


@router.get("/unclear")
def unclear_page(request: Request) -> Response:
    """Show the messages whose intent was not understood; deciding is done where one trains."""
    actor = actor_of(visitor_of(request).staff)
    with unit_of_work() as session:
        messages = read_unclear(session, "open", actor)[-_MOST_UNCLEAR:]
    groups = unclear.cluster(messages)
    return _page(
        request,
        "unclear.html",
        SPANS[1],
        "unclear",
        groups=groups[:MOST_SHOWN],
        messages=len(messages),
    )


@router.get("/items/{item_id}")
def item_page(request: Request, item_id: str) -> Response:
    """Show what the catalogue says about a matter."""
    console, visitor = console_of(request), visitor_of(request)
    matter = _desk(request).finder().items.get(item_id)
    if matter is None:
        words = "目录里没有这个事项，可能刚被删除。"
        return console.page(visitor, "refused.html", 404, message=words)
    return console.page(visitor, "unanswered_item.html", item=item_of(matter))


def item_of(matter: Matter) -> Item:
    """Return a matter as an editor compares it."""
    if isinstance(matter, Elsewhere):
        kind, file, department = "不归本市", Path("elsewhere.yml"), ""
    elif isinstance(matter, Package):
        kind, file = "一件事", Path("packages", f"{matter.id}.yml")
        department = matter.department
    else:
        kind, file = "事项", Path("services", f"{matter.id}.yml")
        department = matter.department
    return Item(
        id=matter.id,
        name=matter.name,
        kind=kind,
        file=file.as_posix(),
        answer=matter.answer,
        aliases=matter.aliases,
        questions=matter.questions,
        department=department,
    )


def _waiting(request: Request, days: int, problem: str = "") -> Response:
    clusters: list[Cluster] = []
    try:
        clusters = _desk(request).waiting(days, actor_of(visitor_of(request).staff))
    except ConfigurationError as error:
        log.error("catalogue_unreadable", detail=error.detail)
        problem = "事项目录暂时读不了，请检查文件后再看。"
    return _page(
        request,
        "unanswered.html",
        days,
        "waiting",
        409 if problem else 200,
        clusters=clusters[:MOST_SHOWN],
        count=len(clusters),
        asked=sum(cluster.size for cluster in clusters),
        kinds=KINDS,
        longest=LONGEST_NOTE,
        problem=problem,
    )


def _page(
    request: Request, template: str, days: int, view: str, status: int = 200, **values: Any
) -> Response:
    return console_of(request).page(
        visitor_of(request),
        template,
        status,
        days=days,
        spans=SPANS,
        view=view,
        outcomes=OUTCOME_WORDS,
        **values,
    )


def _desk(request: Request) -> QuestionDesk:
    desk: QuestionDesk = request.app.state.question_desk
    return desk


def _span(days: str) -> int:
    """Read a span; anything but an offered one is the second."""
    return next((span for span in SPANS if str(span) == days), SPANS[1])
