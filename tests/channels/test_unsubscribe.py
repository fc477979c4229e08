"""The way out of mails and group messages, under the real gateway."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from channels.notices.links import unsubscribe_url
from store.database import unit_of_work
from store.models import utc_now
from store.notice_contacts import link_of, save_contact
from store.people import channels_of, subscribe
from tests.channels.conftest import Gateway

ME = "enterprise:leaving"


@pytest.fixture
def link(gateway: Gateway) -> str:
    """Path and query of the link in a mail."""
    now = utc_now()
    with unit_of_work() as session:
        save_contact(session, ME, "email", "hr@example.com", None, "form", now)
        subscribe(session, ME)
        name = link_of(session, ME, "email")
    url = unsubscribe_url(gateway.settings, name, now)
    assert url.startswith(gateway.settings.public_url)
    return url.removeprefix(gateway.settings.public_url.rstrip("/"))


def channels() -> tuple[str, ...]:
    with unit_of_work() as session:
        return channels_of(session, ME)


def test_opening_the_link_changes_nothing_and_one_post_ends_it(gateway: Gateway, link: str) -> None:
    with gateway.client() as http:
        page = http.get(link)
        assert page.status_code == 200
        assert "确认退订" in page.text
        assert '<form method="post">' in page.text
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        assert channels() == ("chat", "email")
        done = http.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert "已退订" in done.text
        assert channels() == ("chat",)
        assert http.post(link).status_code == 200  # twice does no harm
    assert ME not in page.text + done.text
    assert "hr@example.com" not in page.text + done.text


def test_a_link_that_is_not_ours_ends_nothing(gateway: Gateway, link: str) -> None:
    path, _, query = link.partition("?")
    signature = re.search(r"signature=([0-9a-f]+)", query)
    assert signature is not None
    with unit_of_work() as session:
        name = link_of(session, ME, "email")
    long_ago = datetime.now(UTC) - timedelta(days=500)
    old = unsubscribe_url(gateway.settings, name, long_ago)
    wrong = [
        path,
        f"{path}?expires=9999999999&signature={signature.group(1)}",
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace("/unsubscribe/", "/unsubscribe/x"),
        f"{path}?expires=abc&signature=x",
        f"{path}?expires=１２３&signature=x",
        old.removeprefix(gateway.settings.public_url.rstrip("/")),
        "/unsubscribe/" + "a" * 5000 + "?expires=1&signature=x",
    ]
    with gateway.client() as http:
        for address in wrong:
            refused: httpx.Response = http.post(address)
            assert refused.status_code in (403, 422), address
            assert http.get(address).status_code in (403, 422)
    assert channels() == ("chat", "email")
