"""The relay: carries the outbox to the dispatch system, brings news back and keeps house."""

from __future__ import annotations

import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from base.settings import Settings
from dispatch.case.routing import Router
from dispatch.classification.categories import Categories
from dispatch.open311 import Open311Client
from dispatch.outbox.delivery import Delivery
from dispatch.outbox.housekeeping import Housekeeping, Job, jobs
from dispatch.outbox.line import Line
from dispatch.outbox.polling import Polling
from store.models import utc_now

log = structlog.get_logger(__name__)

STORE_PAUSE_SECONDS = 5.0


class Relay:
    """One delivering and polling worker; ``more`` is done regularly besides.

    Raises:
        ConfigurationError: the routing file is wrong.
    """

    def __init__(
        self,
        client: Open311Client,
        settings: Settings,
        categories: Categories,
        more: tuple[Job, ...] = (),
    ) -> None:
        router = Router.load(settings.routing_file, categories, settings.city_dir)
        line = Line(settings.breaker_failures, settings.breaker_rest_seconds)
        self._settings = settings
        self._polling = Polling(client, line, categories)
        self._delivery = Delivery(client, line, settings, categories, self._polling.look_back_to)
        self._housekeeping = Housekeeping((*jobs(settings, categories, router.supervisor), *more))

    def deliver_one(self) -> bool:
        """See :meth:`dispatch.outbox.delivery.Delivery.deliver_one`."""
        return self._delivery.deliver_one()

    def poll(self) -> None:
        """See :meth:`dispatch.outbox.polling.Polling.poll`."""
        self._polling.poll()

    def run(self) -> None:
        """Work until the process is stopped."""
        next_poll = 0.0
        while True:
            try:
                while self.deliver_one() and time.monotonic() < next_poll:
                    pass  # a long queue does not hold up the news
                if time.monotonic() >= next_poll:
                    self.poll()
                    next_poll = time.monotonic() + self._settings.status_poll_seconds
                self._housekeeping.run(utc_now())
            except SQLAlchemyError as error:  # a database that is away comes back
                log.error("store_down", error=type(error).__name__)
                time.sleep(STORE_PAUSE_SECONDS)
            except Exception:
                log.exception("relay_trip_failed")
                time.sleep(STORE_PAUSE_SECONDS)
            time.sleep(self._settings.relay_poll_seconds)
