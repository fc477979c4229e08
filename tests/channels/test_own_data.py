"""“导出我的资料”: a link that opens once, and everything in the file."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from base.settings import get_settings
from channels.own_data import asks_for_copy
from channels.public.own_data_words import titled
from store.database import unit_of_work
from store.media import attach_media, save_media
from store.models import AuditEntry, Base, Citizen, Ticket, TicketEvent, plain, utc_now
from store.own_data import LINK_LIVES, _owned, new_link
from store.people import queue_message, save_profile
from store.privacy_models import DataExport
from tests.channels.conftest import Gateway, refusal
from tests.channels.photos import encoded, scene
from tests.stack import free_port
from tests.store.rasa import RasaStore

PHONE = "13800138000"
WORDS = "油烟<script>alert(1)</script>"


@pytest.mark.parametrize(
    "text",
    [
        "导出我的资料", "请导出我的资料。", "我要下载我的个人信息", "把我的资料导出来",
        "帮我把我的数据打包下载", "能不能下载你们存的我的信息？", "我要一份我的资料",
        "申请复制个人信息", "導出我的資料", "匯出我的個人資料",
        "麻烦您 给我导出一份我的全部个人数据 谢谢", "我的资料能导出吗", "把关于我的全部信息导出",
    ],
)  # fmt: skip
def test_the_request_is_recognised(text: str) -> None:
    assert asks_for_copy(text)


@pytest.mark.parametrize(
    "text",
    [
        "删除我的资料", "下载申请表", "资料导出", "我的资料", "导出", "下载社保证明要带什么资料",
        "复印个人信息要多少钱", "别导出我的资料", "导出我的资料然后删掉", "我家楼下油烟大", "",
        "我的" * 3000,
        "怎么查我的公积金信息",
    ],
)  # fmt: skip
def test_other_wishes_are_not(text: str) -> None:
    assert not asks_for_copy(text)


def fill(citizen: str) -> None:
    with unit_of_work() as session:
        save_profile(session, citizen, "resident", {"age": 82})
        session.get_one(Citizen, citizen).phone = plain(PHONE)
        ticket = Ticket(
            id=f"SM{abs(hash(citizen)) % 10**12:012}",
            citizen_id=citizen,
            draft_id=citizen,
            status="submitted",
            category="air.cooking_fume",
            severity="normal",
            department="城管局",
            description=plain(WORDS),
        )
        session.add(ticket)
        session.flush()
        session.add(
            TicketEvent(
                ticket_id=ticket.id, actor="relay", to_status="accepted", note=plain("已受理")
            )
        )
        queue_message(session, citizen, [{"text": "已派单"}])
        photo = save_media(session, citizen, encoded(scene()), "image/jpeg", None)
        session.flush()
        attach_media(session, citizen, (photo.id,), ticket.id)


def path_of(gateway: Gateway, http: httpx.Client, who: str) -> str:
    body = {"conversation_id": who, "channel": "api", "text": "导出我的资料"}
    answer = http.post("/api/v1/messages", json=body).json()
    assert answer["understanding"]["intent"] == "export_my_data"
    found = re.search(r"(/my-data/[\w-]{32})\n", answer["replies"][0]["text"])
    assert found
    assert found[1] not in answer["replies"][0]["speech"]
    return found[1]


def test_everything_known_is_in_the_file_and_nobody_elses(gateway: Gateway) -> None:
    fill("api:own-1")
    fill("api:own-2")
    with gateway.api() as http:
        path = path_of(gateway, http, "own-1")
    with gateway.client() as http:
        assert "下载" in http.get(path).text
        assert http.get(path).status_code == 200  # looking uses nothing up
        file = http.post(path)
        assert file.headers["Content-Type"] == "application/zip"
        assert file.headers["Cache-Control"] == "no-store"
        again = http.post(path)
        assert (again.status_code, "失效" in again.text) == (404, True)
        assert http.get(path).status_code == 404
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        whole = json.loads(archive.read("data.json"))
        page = archive.read("我的资料.html").decode()
        (photo,) = [name for name in archive.namelist() if name.startswith("media/")]
        assert archive.read(photo) == encoded(scene())
    data = whole["data"]
    assert whole["citizen"] == "api:own-1"
    assert [row["phone"] for row in data["citizens"]] == [PHONE]
    assert data["citizens"][0]["profile"] == {"resident": {"age": 82}}
    assert [row["description"] for row in data["tickets"]] == [WORDS]
    assert [row["note"] for row in data["ticket_events"]] == ["已受理"]
    assert data["outgoing_messages"][0]["body"] == [{"text": "已派单"}]
    assert "own-2" not in json.dumps(whole)
    assert "progress_token" not in data["tickets"][0]
    assert PHONE in page
    assert "<script>" not in page
    with unit_of_work() as session:
        reads = session.query(AuditEntry).filter_by(purpose="data_export").all()
        assert {(entry.actor, entry.field) for entry in reads} >= {
            ("citizen:api:own-1", "phone"),
            ("citizen:api:own-1", "description"),
            ("citizen:api:own-1", "content"),
        }


def test_what_was_said_is_in_the_file_and_the_link_waits_for_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = get_settings()
    rasa = RasaStore(settings.tracker_url, settings.tracker_key.get_secret_value())
    rasa.make()
    rasa.add("api:own-5", utc_now(), "user", text=WORDS)
    rasa.add("api:own-6", utc_now(), "user", text="别人的话")
    with gateway.api() as http:
        path = path_of(gateway, http, "own-5")
    with gateway.client() as http:
        with monkeypatch.context() as away:
            away.setenv("SHIMIN_TRACKER_URL", f"postgresql://127.0.0.1:{free_port()}/rasa")
            get_settings.cache_clear()
            refused = http.post(path)
            assert (refused.status_code, "暂时取不到" in refused.text) == (503, True)
        get_settings.cache_clear()
        file = http.post(path)
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        (said,) = json.loads(archive.read("data.json"))["data"]["conversations"]
        page = archive.read("我的资料.html").decode()
    assert (said["speaker"], said["words"]) == ("您", WORDS)
    assert "聊天记录" in page and "&lt;script&gt;" in page and "<script>" not in page
    assert "别人的话" not in page


def test_a_link_ends_with_time_and_with_the_next(gateway: Gateway) -> None:
    with gateway.api() as http:
        first, second = (path_of(gateway, http, "own-3") for _ in range(2))
        with unit_of_work() as session:
            stored = [
                row.key for row in session.query(DataExport).filter_by(citizen_id="api:own-3")
            ]
            assert len(stored) == 1
            assert second.rpartition("/")[2] not in stored  # the database opens nothing
            past = utc_now() - timedelta(seconds=1)
        assert http.post(first).status_code == 404
        with unit_of_work() as session:
            session.execute(update(DataExport).values(expires_at=past))
        assert http.post(second).status_code == 404
        assert http.post("/my-data/" + "x" * 100).status_code == 404
        with unit_of_work() as session:
            token = new_link(session, "api:nobody-knows", utc_now())
        file = http.post(f"/my-data/{token}")
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert json.loads(archive.read("data.json"))["data"] == {}
        assert "没有保存" in archive.read("我的资料.html").decode()
    assert timedelta(minutes=1) < LINK_LIVES <= timedelta(hours=1)


def test_every_table_about_a_person_is_known_and_has_a_title() -> None:
    about = {mapper.local_table.description for mapper, _ in _owned("web:1")}
    named = {
        mapper.local_table.description
        for mapper in Base.registry.mappers
        if "citizen_id" in mapper.local_table.c
    }
    assert named - {"data_exports"} <= about
    assert {"citizens", "ticket_events", "handover_messages", "checklist_entries"} <= about
    titles = [title for title, _ in titled({name: [] for name in about})]
    assert not [title for title in titles if title in about], "a table without a Chinese title"


def test_a_copy_is_not_a_thing_for_photos(gateway: Gateway) -> None:
    attached: list[dict[str, Any]] = [{"type": "location", "latitude": 30.2, "longitude": 120.1}]
    body = {"conversation_id": "own-4", "channel": "api", "text": "导出我的资料"}
    with gateway.api() as http:
        answer = http.post("/api/v1/messages", json=body | {"attachments": attached})
        assert answer.json()["understanding"]["intent"] == "greet"  # what the stand-in says
        assert refusal(http.post("/api/v1/messages", json=body | {"text": ""}))[0] == 422
