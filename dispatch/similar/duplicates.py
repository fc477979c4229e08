"""Finding complaints about the same problem: near, recent, of the same kind, alike in words.

Distance and age only decide who is compared: the radius is the category's
``duplicate_metres``, the age its own time limit. What is compared is judged by a logistic
regression on the two texts. A wrong offer costs a citizen one click, a wrong join loses a
complaint, so the threshold is set for precision (docs/duplicates.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy.orm import Session

from base.encoder import Encoder, get_encoder
from base.settings import Settings
from dispatch.classification.categories import Categories, Category, severity
from dispatch.classification.classifier import CategoryClassifier
from dispatch.places.atlas import METRES_PER_DEGREE
from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.intake import Draft
from dispatch.similar.comparison import Account, Comparison, load_weights
from dispatch.similar.joining import AT_WORK, people
from store.identities import mine
from store.media import similar_photos
from store.models import Ticket
from store.nearby import box_around, tickets_near
from store.privacy import reveal

log = structlog.get_logger(__name__)

Relation = Literal["own", "followed", "other", "handled"]

CANDIDATES = 30
"""Complaints whose words are read for one comparison, the nearest first."""
HANDLED = frozenset({"resolved", "verified", "closed"})
HANDLED_DAYS = 3
"""So long after it was handled a case is mentioned; it is never joined."""
LEAST_AGE = timedelta(days=3)
GREATEST_AGE = timedelta(days=30)
SAME_PHOTO = 0.99
"""Score of a complaint with the same picture: neighbours pass a photo round in their group."""


@dataclass(frozen=True)
class Similar:
    """A complaint about what is probably the same problem.

    ``relation`` tells whose it is: the citizen's ``own``, one he has ``followed``, an
    ``other`` citizen's, or (whosesoever) one ``handled`` these days, which cannot be joined.
    ``score`` is 0-1, ``metres`` the distance, ``people`` how many reported it, ``age`` the time
    since it was filed, or handled.
    """

    ticket: Ticket
    relation: Relation
    score: float
    metres: float
    people: int
    age: timedelta


class DuplicateFinder:
    """Compares drafts with the city's complaints."""

    def __init__(
        self,
        categories: Categories,
        gazetteer: Gazetteer,
        comparison: Comparison | None,
        encoder: Encoder,
    ) -> None:
        self._categories = categories
        self._gazetteer = gazetteer
        self._comparison = comparison
        self._encoder = encoder

    @classmethod
    def load(
        cls,
        settings: Settings,
        categories: Categories,
        gazetteer: Gazetteer,
        classifier: CategoryClassifier,
    ) -> DuplicateFinder:
        """Set the finder up with the fitted weights.

        Weights belong to one sentence encoder. With another one nothing is offered until they
        are fitted anew (``benchmarks/duplicates/calibrate.py``).

        Raises:
            ConfigurationError: the weights or the vocabulary are missing or wrong.
        """
        weights = load_weights()
        comparison = None
        if weights.encoder == settings.embedding_model:
            comparison = Comparison(classifier.model.features.mean, categories, weights)
        else:
            log.warning("duplicates_off", fitted=weights.encoder, used=settings.embedding_model)
        return cls(categories, gazetteer, comparison, get_encoder(settings.embedding_model))

    def find(
        self, session: Session, draft: Draft, citizen_id: str, now: datetime
    ) -> Similar | None:
        """Return the complaint most like a draft, None when nothing is alike enough.

        The citizen's own and followed complaints come before those of others, open ones before
        handled ones. Reading the words of complaints is audited (``find_duplicates``).

        Raises:
            ConfigurationError: a complaint was written with another key.
        """
        comparison, account = self._comparison, self._account(draft)
        if comparison is None or account is None:
            return None
        tickets = self._candidates(session, comparison, account, now)
        own = mine(session, citizen_id)
        found = [
            self._similar(ticket, score, account, own, now)
            for ticket, score in self._judge(session, comparison, account, tickets, draft.photos)
            if score >= comparison.threshold
        ]
        urgent = severity(self._categories[account.category], draft.description) == "urgent"
        fit = [one for one in found if not (urgent and one.ticket.severity != "urgent")]
        order = ("own", "followed", "other", "handled")
        best = min(fit, key=lambda one: (order.index(one.relation), -one.score), default=None)
        if best is not None:
            log.info(
                "similar_found",
                draft=draft.id,
                ticket=best.ticket.id,
                relation=best.relation,
                score=round(best.score, 3),
                metres=round(best.metres),
            )
        return best

    def _account(self, draft: Draft) -> Account | None:
        """Return what a draft says, None when it cannot be compared."""
        place, category = draft.place, self._categories.get(draft.category or "")
        if place is None or category is None or not category.duplicate_metres:
            return None
        if place.latitude is None or place.longitude is None or not draft.words:
            return None
        if self._gazetteer.is_vague(place.latitude, place.longitude):
            return None  # "on that road": two such complaints may be kilometres apart
        return Account(draft.description, category.code, place.latitude, place.longitude)

    def _candidates(
        self, session: Session, comparison: Comparison, account: Account, now: datetime
    ) -> list[Ticket]:
        kinds = [
            self._categories[code]
            for code in self._categories.confusable(account.category)
            if self._categories[code].duplicate_metres
        ]
        reach = max(kind.duplicate_metres for kind in kinds)
        found = tickets_near(
            session,
            box_around(account.latitude, account.longitude, reach / METRES_PER_DEGREE),
            [kind.code for kind in kinds],
            since=now - max(oldest(kind) for kind in kinds),
            open_in=AT_WORK,
            handled_in=HANDLED,
            handled_since=now - timedelta(days=HANDLED_DAYS),
            limit=CANDIDATES,
        )
        return [
            ticket
            for ticket in found
            if account.metres_to(where(ticket)) <= comparison.radius(account, where(ticket))
            and now - ticket.created_at <= oldest(self._categories[ticket.category])
            and not self._gazetteer.is_vague(ticket.latitude or 0.0, ticket.longitude or 0.0)
        ]

    def _judge(
        self,
        session: Session,
        comparison: Comparison,
        account: Account,
        tickets: Sequence[Ticket],
        photos: Sequence[str],
    ) -> list[tuple[Ticket, float]]:
        if not tickets:
            return []
        others = [
            where(
                ticket,
                reveal(session, ticket, "description", actor="system", purpose="find_duplicates"),
            )
            for ticket in tickets
        ]
        scores = comparison.scores(account, others, self._encoder)
        pictured = similar_photos(session, photos, [ticket.id for ticket in tickets])
        return [
            (ticket, max(score, SAME_PHOTO if ticket.id in pictured else 0.0))
            for ticket, score in zip(tickets, scores, strict=True)
        ]

    def _similar(
        self,
        ticket: Ticket,
        score: float,
        account: Account,
        own: Collection[str],
        now: datetime,
    ) -> Similar:
        relation: Relation = "other"
        if ticket.status in HANDLED:
            relation = "handled"
        elif ticket.citizen_id in own:
            relation = "own"
        elif people(ticket).intersection(own):
            relation = "followed"
        moment = ticket.updated_at if relation == "handled" else ticket.created_at
        return Similar(
            ticket=ticket,
            relation=relation,
            score=score,
            metres=account.metres_to(where(ticket)),
            people=len(people(ticket)),
            age=now - moment,
        )


def oldest(category: Category) -> timedelta:
    """Return how old a complaint of a category may be to be compared with a new one.

    Its time limit, between 3 and 30 days: a fire of last month is not the fire of today.
    """
    limit = timedelta(hours=category.resolve_hours)
    return min(max(limit, LEAST_AGE), GREATEST_AGE)


def where(ticket: Ticket, text: str = "") -> Account:
    """Return the account of a ticket that has a place; its words only if given."""
    assert ticket.latitude is not None
    assert ticket.longitude is not None
    return Account(text, ticket.category, ticket.latitude, ticket.longitude)
