"""A checklist to print and keep, under the real gateway."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enquiries.checklist_links import checklist_url
from enquiries.checklists import Plan
from store.checklists import (
    checklist_of,
    drop_checklist,
    set_ticks,
    start_checklist,
    sync_entries,
)
from store.database import unit_of_work
from store.models import AuditEntry, utc_now
from tests.channels.conftest import Gateway

ME = "web:secret-parent"


@pytest.fixture
def link(gateway: Gateway) -> str:
    """Path and query of the page of a checklist with one tick."""
    plan = Plan({"maternity_benefit": True}).as_dict()
    with unit_of_work() as session:
        drop_checklist(session, ME, "newborn")
        row = start_checklist(session, ME, "newborn", plan)
        sync_entries(session, row, [("material", "居民身份证"), ("step", "birth_certificate")])
        set_ticks(session, row, {("material", "居民身份证")}, done=True)
        url = checklist_url(gateway.settings, row.id, utc_now())
    return url.removeprefix(gateway.settings.public_url.rstrip("/"))


def text_of(link: str) -> str:
    path, _, query = link.partition("?")
    return f"{path}/text?{query}"


def test_the_page_has_all_one_needs_and_nothing_of_the_person(gateway: Gateway, link: str) -> None:
    with gateway.client() as http:
        page = http.get(link)
        plain = http.get(text_of(link))
    assert (page.status_code, plain.status_code) == (200, 200)
    assert plain.headers["Content-Type"].startswith("text/plain; charset=utf-8")
    for answer in (page, plain):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        for needed in (
            "新生儿出生一件事清单", "材料备好1样，共8样", "步骤办完0步，共5步",
            "☑", "☐", "生育津贴申领", "先办完：", "周一至周五", "费用：", "预约：", "12345",
            "户口登记条例", "核对", "生成",
        ):  # fmt: skip
            assert needed in answer.text.replace("</b>", ""), needed
        for secret in (ME, "secret-parent", "web:"):
            assert secret not in answer.text
    assert '<meta name="robots" content="noindex' in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "个人所得税" not in page.text.split("要办的步骤")[1].split("依据")[0]


def test_reading_is_audited_and_changes_nothing(gateway: Gateway, link: str) -> None:
    with unit_of_work() as session:
        before = session.query(AuditEntry).count()
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        touched = row.updated_at
    with gateway.client() as http:
        http.get(link)
    with unit_of_work() as session:
        assert session.query(AuditEntry).count() == before + 1
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        assert row.updated_at == touched
        assert len(row.entries) == 2


def test_a_link_that_is_not_ours_shows_nothing(gateway: Gateway, link: str) -> None:
    path, _, query = link.partition("?")
    with unit_of_work() as session:
        row = checklist_of(session, ME, "newborn")
        assert row is not None
        old = checklist_url(gateway.settings, row.id, utc_now() - timedelta(days=400))
    wrong = [
        path,
        f"{path}x?{query}",
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        f"{path}?expires=１２３&signature=x",
        f"{path}?expires=abc&signature=x",
        old.removeprefix(gateway.settings.public_url.rstrip("/")),
        f"/checklist/{'a' * 500}?expires=1&signature=x",
    ]
    with gateway.client() as http:
        for address in wrong:
            for asked in (address, text_of(address)):
                answer = http.get(asked)
                assert answer.status_code == 404, asked
                assert "没有找到这张清单" in answer.text
                assert "生育津贴" not in answer.text
        too_long = http.get(f"{path}?expires=1&signature={'a' * 5000}")
    assert too_long.status_code == 422


def test_a_deleted_list_is_gone_from_its_link(gateway: Gateway, link: str) -> None:
    with unit_of_work() as session:
        assert drop_checklist(session, ME, "newborn")
    with gateway.client() as http:
        assert http.get(link).status_code == 404


def test_its_style_sheet_is_served(gateway: Gateway, link: str) -> None:
    with gateway.client() as http:
        assert "/public/checklist.css" in http.get(link).text
        assert "@media print" in http.get("/public/checklist.css").text
