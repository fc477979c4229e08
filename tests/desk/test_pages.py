"""The dispatcher's pages as a browser without scripts sees them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from base.settings import Settings
from dispatch.open311 import Open311Client, RequestDraft, UpdateDraft


@pytest.fixture
def api(desk: str) -> Any:
    with Open311Client(desk, "desk-key-1") as client:
        yield client


@pytest.fixture
def request_id(api: Open311Client, draft: RequestDraft) -> str:
    created = api.create(draft, "key-1").service_request_id
    assert created
    return created


def test_everything_but_login_needs_a_login(http: httpx.Client, request_id: str) -> None:
    for path in ("/desk", f"/desk/requests/{request_id}"):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/login")
        assert "油烟" not in answer.text
    answer = http.post(f"/desk/requests/{request_id}/actions", data={"action": "accept"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk/login"


def test_login_sets_a_strict_cookie(visitor: Any) -> None:
    answer = visitor.login(operator="王芳")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/desk" in cookie
    assert "王芳" in visitor.http.get("/desk").text


def test_a_wrong_password_is_refused_then_limited(visitor: Any) -> None:
    for _ in range(5):
        answer = visitor.login(password="guess")
        assert answer.status_code == 403
        assert "口令不正确" in answer.text
    limited = visitor.login(password="guess")
    assert limited.status_code == 429
    # The right password does not open the door either until the window has passed.
    assert visitor.login().status_code == 429
    assert visitor.http.get("/desk").status_code == 303


def test_login_without_its_token_is_refused(visitor: Any) -> None:
    answer = visitor.http.post("/desk/login", data={"password": "dispatch-password"})
    assert answer.status_code == 403
    assert visitor.http.get("/desk").status_code == 303


def test_logout_ends_the_session_for_good(dispatcher: Any) -> None:
    cookie = dispatcher.http.cookies["shimin_desk"]
    token = dispatcher.token("/desk")
    assert dispatcher.http.post("/desk/logout", data={"csrf": token}).status_code == 303
    dispatcher.http.cookies.set("shimin_desk", cookie, path="/desk")
    assert dispatcher.http.get("/desk").status_code == 303


def test_a_step_without_csrf_token_is_refused(dispatcher: Any, request_id: str) -> None:
    path = f"/desk/requests/{request_id}/actions"
    for form in ({"action": "accept"}, {"action": "accept", "csrf": "0" * 64}):
        assert dispatcher.http.post(path, data=form).status_code == 403
    assert "待受理" in dispatcher.http.get(f"/desk/requests/{request_id}").text


def test_the_whole_way_to_closure(dispatcher: Any, request_id: str, api: Open311Client) -> None:
    steps = [
        ("accept", "", "已受理"),
        ("start", "", "处置中"),
        ("resolve", "已责令整改并清洗烟道", "已办结待核查"),
        ("close", "现场复核，油烟达标", "已结案"),
        ("reopen", "市民反映再次出现", "已重开"),
    ]
    for action, words, status in steps:
        answer = dispatcher.act(request_id, action, explanation=words)
        assert answer.status_code == 303, answer.text
        page = dispatcher.http.get(answer.headers["Location"]).text
        assert f">{status}</span>" in page
        assert words in page
        assert "李敏" in page
    assert api.request(request_id).detailed_status == "REOPEN"
    assert [update.status for update in api.updates()] == [
        "INVESTIGATING",
        "IN_PROGRESS",
        "FIXED",
        "CLOSED",
        "REOPEN",
    ]


@pytest.mark.parametrize("action", ["resolve", "close", "reopen", "withdraw", "nonsense", ""])
def test_steps_outside_the_table_are_refused(
    dispatcher: Any, request_id: str, api: Open311Client, action: str
) -> None:
    answer = dispatcher.act(request_id, action, explanation="说明")
    assert answer.status_code == 409
    assert "不能执行这一操作" in answer.text
    assert api.request(request_id).detailed_status == "OPEN"


@pytest.mark.parametrize("action", ["reject", "duplicate", "transfer"])
@pytest.mark.parametrize("words", ["", " \n\t", "\x00"])
def test_a_step_that_needs_an_explanation_is_refused_without(
    dispatcher: Any, request_id: str, api: Open311Client, action: str, words: str
) -> None:
    answer = dispatcher.act(request_id, action, explanation=words)
    assert answer.status_code == 422
    assert "请填写" in answer.text
    assert api.request(request_id).detailed_status == "OPEN"


def test_a_closure_without_explanation_is_refused(
    dispatcher: Any, request_id: str, api: Open311Client
) -> None:
    dispatcher.act(request_id, "accept")
    dispatcher.act(request_id, "start")
    assert dispatcher.act(request_id, "resolve").status_code == 422
    dispatcher.act(request_id, "resolve", explanation="已处理")
    assert dispatcher.act(request_id, "close").status_code == 422
    assert api.request(request_id).detailed_status == "FIXED"


def test_what_was_typed_is_kept_on_refusal(dispatcher: Any, request_id: str) -> None:
    answer = dispatcher.act(request_id, "reject", explanation="长" * 1001)
    assert answer.status_code == 422
    assert "不能超过1000字" in answer.text
    assert "长" * 1001 in answer.text


def test_a_transfer_names_another_department(
    dispatcher: Any, request_id: str, api: Open311Client
) -> None:
    before = api.request(request_id).agency_responsible
    page = dispatcher.http.get(f"/desk/requests/{request_id}").text
    names = re.findall(r"<option>([^<]+)</option>", page)
    assert names
    assert before not in names
    wrong = dispatcher.act(request_id, "transfer", explanation="不归本部门", agency="不存在的局")
    assert wrong.status_code == 422
    done = dispatcher.act(request_id, "transfer", explanation="职责划分调整", agency=names[0])
    assert done.status_code == 303
    request = api.request(request_id)
    assert request.agency_responsible == names[0]
    assert request.status == "open"
    (update,) = api.updates()
    assert update.status == "NOT_COUNCILS_RESPONSIBILITY"
    assert update.agency_responsible == names[0]


def test_supplement_and_withdrawal_show_in_the_history(
    dispatcher: Any, request_id: str, api: Open311Client
) -> None:
    now = datetime.now(UTC)
    photo = ("http://127.0.0.1:9/media/late.jpg",)
    api.post_update(UpdateDraft(request_id, "s-1", "补充：凌晨也在排", now, media_urls=photo))
    page = dispatcher.http.get(f"/desk/requests/{request_id}").text
    assert "市民补充" in page
    assert "补充：凌晨也在排" in page
    assert photo[0] in page
    api.post_update(UpdateDraft(request_id, "w-1", "市民撤回", now, "WITHDRAWN"))
    page = dispatcher.http.get(f"/desk/requests/{request_id}").text
    assert ">已撤回</span>" in page
    assert "没有可执行的操作" in page
    assert dispatcher.http.get("/desk?status=WITHDRAWN").text.count(request_id) > 0


def test_a_late_withdrawal_is_kept_but_changes_nothing(
    dispatcher: Any, request_id: str, api: Open311Client
) -> None:
    dispatcher.act(request_id, "reject", explanation="不属于受理范围")
    api.post_update(UpdateDraft(request_id, "w", "撤回", datetime.now(UTC), "WITHDRAWN"))
    assert api.request(request_id).detailed_status == "NO_FURTHER_ACTION"
    assert "状态不变" in dispatcher.http.get(f"/desk/requests/{request_id}").text


def test_words_of_citizens_are_escaped(
    dispatcher: Any, api: Open311Client, draft: RequestDraft
) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    filed = api.create(
        replace(draft, description=nasty, address_string=nasty, attributes={nasty[:20]: nasty}),
        "nasty",
    )
    assert filed.service_request_id
    for path in ("/desk", f"/desk/requests/{filed.service_request_id}", f"/desk?q={nasty}"):
        page = dispatcher.http.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_photos_are_embedded_only_from_the_gateway(
    dispatcher: Any, api: Open311Client, draft: RequestDraft, settings: Settings
) -> None:
    ours = f"{settings.public_url}/media/1.jpg"
    theirs = "https://elsewhere.example/2.jpg"
    request_id = api.create(replace(draft, media_urls=(ours, theirs)), "k").service_request_id
    answer = dispatcher.http.get(f"/desk/requests/{request_id}")
    assert f'<img src="{ours}"' in answer.text
    assert f'<img src="{theirs}"' not in answer.text
    assert theirs in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"img-src 'self' {settings.public_url}" in policy
    assert "script-src" not in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_pages_have_nothing_inline(dispatcher: Any, request_id: str) -> None:
    for path in ("/desk", f"/desk/requests/{request_id}"):
        page = dispatcher.http.get(path).text
        assert "<script" not in page
        assert "<style" not in page
        assert not re.search(r"\s(style|on\w+)=", page)
    assert (
        dispatcher.http.get("/desk/static/desk.css").headers["Content-Type"].startswith("text/css")
    )


def test_list_filters(dispatcher: Any, api: Open311Client, draft: RequestDraft) -> None:
    fume = api.create(draft, "a").service_request_id
    noise = api.create(replace(draft, service_code="noise.social"), "b").service_request_id
    assert fume and noise
    dispatcher.act(noise, "accept")

    def shown(query: str) -> set[str]:
        page = dispatcher.http.get(f"/desk{query}").text
        return set(re.findall(r"/desk/requests/(\w+)", page))

    assert shown("") == {fume, noise}
    assert shown("?status=OPEN") == {fume}
    assert shown("?status=INVESTIGATING") == {noise}
    assert shown("?category=noise.social") == {noise}
    assert shown(f"?q={fume}") == {fume}
    assert shown("?q=%25") == set()
    assert shown("?status=CLOSED") == set()
    assert shown("?page=99&status=nonsense") == {fume, noise}


def test_long_lists_have_pages(dispatcher: Any, api: Open311Client, draft: RequestDraft) -> None:
    ids = {api.create(draft, f"k{number}").service_request_id for number in range(33)}
    pages = [dispatcher.http.get(f"/desk?page={number}").text for number in (1, 2)]
    assert "共 33 件" in pages[0]
    found = [set(re.findall(r"/desk/requests/(\w+)", page)) for page in pages]
    assert found[0] | found[1] == ids
    assert len(found[0]) == 30


def test_unknown_pages_say_so(dispatcher: Any) -> None:
    answer = dispatcher.http.get("/desk/requests/none")
    assert answer.status_code == 404
    assert "没有这个工单" in answer.text
    assert dispatcher.http.get("/desk/nothing").status_code == 404
    assert dispatcher.http.get("/").headers["Location"] == "/desk"


def test_contact_is_shown_to_the_dispatcher(
    dispatcher: Any, api: Open311Client, draft: RequestDraft
) -> None:
    personal = replace(draft, last_name="张", first_name="伟", phone="13800001234")
    request_id = api.create(personal, "k").service_request_id
    page = dispatcher.http.get(f"/desk/requests/{request_id}").text
    assert "张伟" in page
    assert "13800001234" in page
