"""The trace of a complaint on its way to the desk, and the figures the relay takes."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import REGISTRY
from sqlalchemy import update

from base.tracing import traced
from dispatch.classification.categories import Categories
from dispatch.outbox.figures import count_overdue, take_figures
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from tests.dispatch.relaying import File, MakeRelay, created, drain, entries, only_posts
from tests.dispatch.servers import Answer, serving


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_the_desk_hears_of_a_complaint_in_the_trace_it_was_filed_in(
    make_relay: MakeRelay, filed: File
) -> None:
    with traced(None) as step:
        filed(draft_id="d-1")
    filed(draft_id="d-2")
    with serving(only_posts(lambda asked: created(asked.key))) as server:
        drain(make_relay(server.url))
        first, second = (asked for asked in server.asked if asked.method == "POST")
    assert first.traceparent.split("-")[1] == step.trace_id
    assert first.traceparent != str(step)
    assert second.traceparent.split("-")[1] not in ("", step.trace_id)
    assert [entry.traceparent for entry in entries()] == [str(step), None]


def test_figures_tell_what_waits_what_failed_and_what_is_late(
    make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    now = utc_now()
    take_figures(now)
    count_overdue(categories, now)
    assert value("shimin_outbox_entries", state="pending") == 0
    assert value("shimin_tickets_overdue", limit="respond") == 0
    sent = value("shimin_outbox_deliveries_total", result="sent") or 0

    filed(draft_id="d-1")
    with serving(only_posts(lambda asked: created(asked.key))) as server:
        drain(make_relay(server.url))
    filed(draft_id="d-2")
    with serving(only_posts(lambda _: Answer(400, "[]"))) as server:
        drain(make_relay(server.url))
    filed(draft_id="d-3")
    hour = timedelta(hours=1)
    with unit_of_work() as session:
        session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.state == "pending")
            .values(created_at=now - hour, due_at=now - hour)
        )
        session.execute(update(Ticket).values(created_at=now - timedelta(days=400)))
    take_figures(now)
    count_overdue(categories, now)
    counts = {s: value("shimin_outbox_entries", state=s) for s in ("pending", "sent", "dead")}
    assert counts == {"pending": 1, "sent": 1, "dead": 1}
    assert value("shimin_outbox_oldest_seconds") == 3600
    assert value("shimin_outbox_deliveries_total", result="sent") == sent + 1
    assert value("shimin_tickets_overdue", limit="resolve") == 1  # the desk has only the first
    assert value("shimin_figures_timestamp_seconds") == now.timestamp()
