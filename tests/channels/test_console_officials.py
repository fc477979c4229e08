"""Accounts, audit and deliveries at the console, over HTTP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete, select, update

from base.calendar import city_today
from base.errors import StateError
from channels.officials.deliveries import reason
from store.accounts import Accounts
from store.agent_models import Agent
from store.agents import by_name, set_locked
from store.audit import verify
from store.channel_models import IncomingMessage
from store.database import reading, unit_of_work
from store.models import AuditEntry, OutboxEntry, Ticket, plain, utc_now
from store.notice_models import NoticeDelivery, NoticeDigest
from store.people import citizen as citizen_row
from store.privacy import note_access, reveal
from tests.channels.agents import Staff, day_off, gateway, open_gateway, staff
from tests.channels.conftest import Gateway

__all__ = ["day_off", "gateway", "open_gateway", "staff"]

ACCOUNTS, AUDIT, DELIVERIES = "/console/accounts", "/console/audit", "/console/deliveries"
TICKET, PHONE, CITIZEN = "SM20261121000001", "13800138000", "wechat:oAbc-张三"


def posted(one: Staff, page: str, path: str, **data: str) -> httpx.Response:
    token = one.csrf(one.page(page))
    return one.http.post(path, data={"csrf": token, **data})


def number_of(name: str) -> int:
    with reading() as session:
        found = by_name(session, name)
        assert found is not None
        return found.id


def told(purpose: str) -> list[tuple[str, str, str]]:
    """Entries of the audit with a purpose: actor, record and field."""
    with reading() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.purpose == purpose).order_by(AuditEntry.id)
        )
        return [(row.actor, row.record, row.field) for row in rows]


# --- accounts -----------------------------------------------------------------------------


def test_an_account_is_made_used_and_given_another_role(
    gateway: Gateway, staff: Callable[..., Staff]
) -> None:
    admin = staff("主任")
    page = posted(admin, ACCOUNTS, ACCOUNTS, name="新来的", role="auditor").text
    found = re.search(r'id="secret">([a-z0-9]{16})<', page)
    assert found
    assert found[1] not in admin.page(ACCOUNTS)
    number = number_of("新来的")
    with gateway.client() as http:
        http.follow_redirects = True
        fresh = Staff(http)
        assert "您用的是临时口令" in fresh.log_in("新来的", found[1]).text
        one = f"{ACCOUNTS}/{number}"
        assert "角色已更改" in posted(admin, one, f"{one}/role", role="agent").text
        assert "工作台登录" in fresh.page("/console/me")
    actor, record = "agent:主任", f"agents:{number}"
    assert told("account_created")[-1] == (actor, record, "role auditor")
    assert told("role_changed") == [(actor, record, "role auditor to agent")]


def test_locking_and_resetting_end_what_is_open(staff: Callable[..., Staff]) -> None:
    admin, agent = staff("主任"), staff("小王")
    one = f"{ACCOUNTS}/{number_of('小王')}"
    assert "账号已停用" in posted(admin, one, f"{one}/lock").text
    assert "工作台登录" in agent.page()
    assert agent.log_in("小王").status_code == 403
    assert "账号已启用" in posted(admin, one, f"{one}/unlock").text
    assert "退出" in agent.log_in("小王").text
    with unit_of_work() as session:
        kept = session.get_one(Agent, number_of("小王")).password_hash
    assert "临时口令" in posted(admin, one, f"{one}/password").text
    assert "工作台登录" in agent.page()
    assert "两步验证已重置" in posted(admin, one, f"{one}/second-factor").text
    for purpose in ("account_locked", "account_unlocked", "password_reset", "second_factor_reset"):
        assert told(purpose)[-1][:2] == ("agent:主任", f"agents:{number_of('小王')}")
    with unit_of_work() as session:
        row = session.get_one(Agent, number_of("小王"))
        row.password_hash = kept
        row.password_temporary, row.password_expires_at = False, None


def test_an_admin_does_nothing_to_himself(staff: Callable[..., Staff]) -> None:
    admin = staff("主任")
    one = f"{ACCOUNTS}/{number_of('主任')}"
    for step in ("lock", "role", "password", "second-factor"):
        answer = posted(admin, one, f"{one}/{step}", role="agent")
        assert answer.status_code == 409 and "另一位管理员" in answer.text, step
    assert "管理员" in admin.page(ACCOUNTS)


def test_the_last_admin_stays(gateway: Gateway) -> None:
    """Two administrators lock each other, and one of them comes too late."""
    with unit_of_work() as session:
        late, other = by_name(session, "主任"), by_name(session, "admin")
        assert late is not None and other is not None
        set_locked(session, late, locked=True)
    with pytest.raises(StateError, match="last_admin"), unit_of_work() as session:
        accounts = Accounts(session, late)
        accounts.lock(accounts.find(other.id))
    with unit_of_work() as session:
        set_locked(session, session.get_one(Agent, late.id), locked=False)
        accounts = Accounts(session, late)
        accounts.lock(accounts.find(other.id))
        accounts.unlock(accounts.find(other.id))


def test_odd_accounts_are_refused(staff: Callable[..., Staff]) -> None:
    admin = staff("主任")
    for name, role in (("小李", "agent"), ("", "agent"), ("有 空格", "agent"), ("某人", "root")):
        assert posted(admin, ACCOUNTS, ACCOUNTS, name=name, role=role).status_code == 409
    assert admin.http.get(f"{ACCOUNTS}/99999").status_code == 409
    assert admin.http.post(ACCOUNTS, data={"name": "某人", "role": "agent"}).status_code == 403
    with reading() as session:
        assert by_name(session, "某人") is None


# --- audit --------------------------------------------------------------------------------


@pytest.fixture
def ticket(gateway: Gateway) -> Iterator[None]:
    """A ticket whose contact was read, and an entry about a citizen."""
    with unit_of_work() as session:
        person = citizen_row(session, CITIZEN)
        person.phone = plain(PHONE)
        row = Ticket(
            id=TICKET,
            citizen_id=CITIZEN,
            draft_id="d1",
            status="submitted",
            category="noise",
            severity="normal",
            department="市城市管理局",
            description=plain("太吵"),
            contact=plain({"phone": PHONE}),
        )
        session.add(row)
        session.flush()
        reveal(session, row, "contact", actor="agent:小李", purpose="console_opened")
        reveal(session, person, "phone", actor=f"citizen:{CITIZEN}", purpose="data_export")
        note_access(session, "=1+1", "handover", "tickets:SM20261121000099", "note")
    yield
    with unit_of_work() as session:
        session.execute(delete(Ticket).where(Ticket.id == TICKET))


def test_the_audit_is_found_by_each_of_its_fields(
    ticket: None, staff: Callable[..., Staff]
) -> None:
    auditor = staff("auditor")

    def found(query: str) -> list[str]:
        page = auditor.page(f"{AUDIT}?{query}")
        return re.findall(r'data-label="对象" class="break">([^<]*)<', page)

    assert found("who=小李&why=console_opened") == [f"工单 {TICKET}"]
    about = found(f"ticket={TICKET.lower()}")
    assert len(about) == 2 and f"工单 {TICKET}" in about
    assert all("市民资料 wechat#" in what for what in about if TICKET not in what)
    assert found("what=citizens&why=data_export")
    assert found("who=谁也不是") == []
    assert found("ticket=SM20261121999999") == []
    yesterday = city_today() - timedelta(days=1)
    assert found(f"since={yesterday}&until={yesterday}") == []
    odd = auditor.http.get(f"{AUDIT}?since=x&until=2026-99-99")
    assert odd.status_code == 409 and "日期不对" in odd.text


def test_nobody_is_named_and_reading_is_an_entry(ticket: None, staff: Callable[..., Staff]) -> None:
    auditor = staff("auditor")
    page = auditor.page(f"{AUDIT}?what=citizens")
    for secret in (CITIZEN, "张三", "oAbc", PHONE):
        assert secret not in page
    assert '<td data-label="谁">市民 wechat#' in page
    actor, record, _ = told("audit_read")[-1]
    assert actor == "agent:auditor" and record.endswith("what=citizens")


def test_pages_go_on_below_the_last_line(gateway: Gateway, staff: Callable[..., Staff]) -> None:
    with unit_of_work() as session:
        for number in range(120):
            note_access(session, "agent:小李", "call_back", f"call_backs:{number}", "contact")
    auditor = staff("auditor")
    seen: list[str] = []
    path = f"{AUDIT}?why=call_back"
    while path:
        page = auditor.page(path)
        seen += re.findall(r">回电号码 (\d+)<", page)
        older = re.search(r'href="([^"]*below=\d+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(number) for number in reversed(range(120))]


def test_a_copy_holds_no_formula_and_is_an_entry(ticket: None, staff: Callable[..., Staff]) -> None:
    auditor = staff("auditor")
    answer = posted(auditor, AUDIT, f"{AUDIT}/export", why="handover")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "编号"
    assert "'=1+1" in [row[2] for row in rows]
    assert told("audit_exported")[-1][0] == "agent:auditor"
    assert auditor.http.post(f"{AUDIT}/export").status_code == 403


def test_a_changed_entry_shows(ticket: None, staff: Callable[..., Staff]) -> None:
    auditor = staff("auditor")
    assert "完整" in posted(auditor, AUDIT, f"{AUDIT}/verify").text
    with unit_of_work() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.actor == "=1+1")).first()
        assert row is not None
        number = row.id
        session.execute(
            update(AuditEntry).where(AuditEntry.id == number).values(actor="agent:小王")
        )
    assert f"从第{number}条起断开" in posted(auditor, AUDIT, f"{AUDIT}/verify").text
    with unit_of_work() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == number).values(actor="=1+1"))
    with reading() as session:
        assert verify(session).broken is None


# --- deliveries ---------------------------------------------------------------------------


@pytest.fixture
def failed(ticket: None) -> Iterator[dict[str, int]]:
    """Something that was given up in every queue this installation carries."""
    old = utc_now() - timedelta(days=2)
    with unit_of_work() as session:
        digest = NoticeDigest(citizen_id=CITIZEN)
        session.add(digest)
        session.flush()
        dead = {
            "desk": OutboxEntry(
                ticket_id=TICKET,
                kind="request",
                idempotency_key="k1",
                state="dead",
                attempts=9,
                last_error=f"422 phone {PHONE}",
            ),
            "notices": NoticeDelivery(
                digest_id=digest.id,
                channel="feishu",
                state="failed",
                attempts=3,
                last_error="404 https://open.feishu.cn/hook/secret-token?k=1",
            ),
            "received": IncomingMessage(
                channel="telegram",
                key="1",
                conversation_id="c",
                content=plain("x"),
                state="dead",
                attempts=5,
            ),
        }
        waiting = OutboxEntry(ticket_id=TICKET, kind="update", idempotency_key="k2", created_at=old)
        session.add_all((*dead.values(), waiting))
        session.flush()
        dead["received"].joined_to = dead["received"].id
        numbers = {way: row.id for way, row in dead.items()}
    yield numbers
    with unit_of_work() as session:
        for model in (OutboxEntry, NoticeDelivery, NoticeDigest, IncomingMessage):
            session.execute(delete(model))


def test_deliveries_show_age_and_reason_and_nothing_personal(
    failed: dict[str, int], staff: Callable[..., Staff]
) -> None:
    page = staff("主任").page(DELIVERIES)
    assert re.search(r'late" data-label="超过1天">1<', page)
    assert "422 phone &lt;手机号&gt;" in page and TICKET in page
    for secret in (PHONE, "secret-token", CITIZEN):
        assert secret not in page


def test_what_failed_is_carried_again_and_audited(
    failed: dict[str, int], staff: Callable[..., Staff]
) -> None:
    admin = staff("主任")
    states = {"desk": "pending", "notices": "queued", "received": "pending"}
    models = {"desk": OutboxEntry, "notices": NoticeDelivery, "received": IncomingMessage}
    for way, number in failed.items():
        path = f"{DELIVERIES}/{way}/{number}/retry"
        assert "已重新投递1条" in posted(admin, DELIVERIES, path).text, way
        with reading() as session:
            row = session.get_one(models[way], number)
            assert (row.state, row.attempts) == (states[way], 0)
        assert posted(admin, DELIVERIES, path).status_code == 409
        record = f"{models[way].__tablename__}:{number}"
        assert told("delivery_retried")[-1] == ("agent:主任", record, "state")
    assert posted(admin, DELIVERIES, f"{DELIVERIES}/nowhere/1/retry").status_code == 422


def test_all_of_a_queue_are_carried_again(
    failed: dict[str, int], staff: Callable[..., Staff]
) -> None:
    admin = staff("主任")
    for way in failed:
        assert "已重新投递1条" in posted(admin, DELIVERIES, f"{DELIVERIES}/{way}/retry").text
    assert "没有需要重试的" in posted(admin, DELIVERIES, f"{DELIVERIES}/outgoing/retry").text


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("https://u:p@host.cn/a?token=1 refused", "https://host.cn/… refused"),
        (f"bad number {PHONE}", "bad number <手机号>"),
        ("x" * 500, "x" * 160),
    ],
)
def test_reasons_are_masked(error: str, shown: str) -> None:
    assert reason(error) == shown
