"""Staff at the console in a browser, and a ticket that needs somebody's attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from store.models import OutboxEntry, Ticket, plain
from store.people import citizen
from store.privacy import reveal
from tests.browser.pages import Watch
from tests.channels.agents import PASSWORD

Enter = Callable[..., Page]
"""Logs somebody in by his name in a browser of his own; options are Playwright's."""


def log_in(page: Page, url: str, name: str, password: str = PASSWORD) -> Page:
    """Log in at the console; it then shows a page, or asks for the code of the second factor."""
    page.goto(f"{url}/console")
    page.get_by_label("账号").fill(name)
    page.get_by_label("口令").fill(password)
    page.get_by_label("口令").press("Enter")
    inside = page.get_by_role("button", name="退出")
    expect(inside.or_(page.get_by_role("heading", name="输入动态码"))).to_be_visible()
    return page


@contextmanager
def staff_at(browser: Browser, url: str, *expected: str, **usual: Any) -> Iterator[Enter]:
    """Let staff log in; no page may complain, but for the ``expected``, or leave the house.

    ``usual`` are options of every browser.
    """
    watch, contexts = Watch(frozenset({url}), expected=list(expected)), []

    def entering(name: str, password: str = PASSWORD, **options: Any) -> Page:
        contexts.append(browser.new_context(locale="zh-CN", **usual, **options))
        page = contexts[-1].new_page()
        watch.attach(page)
        return log_in(page, url, name, password)

    yield entering
    for context in contexts:
        context.close()
    assert watch.unexpected == []


def refused_ticket(session: Session, number: str, who: str, fault: str, *, opened_by: str) -> None:
    """Add a ticket that the dispatch system refused, whose contact somebody has opened."""
    citizen(session, who)
    ticket = Ticket(
        id=number,
        citizen_id=who,
        draft_id=number,
        status="submitted",
        category="noise",
        severity="normal",
        department="市城市管理局",
        description=plain("太吵"),
        contact=plain({"phone": "13800138000"}),
    )
    session.add(ticket)
    session.flush()
    reveal(session, ticket, "contact", actor=opened_by, purpose="console_opened")
    entry = OutboxEntry(ticket_id=number, kind="request", idempotency_key=number, state="dead")
    entry.attempts, entry.last_error = 9, fault
    session.add(entry)
