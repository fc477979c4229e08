"""The page by itself: reading, languages, sizes, keyboard, map and voice, without a whole stack."""

from __future__ import annotations

import io
import json
import math
import re
import wave
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.accessibility import ENHANCED, grave_issues
from tests.browser.pages import SPOT, Citizen, Visit
from tests.channels.conftest import Gateway
from tests.waiting import wait_until

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
VOICE = """
  const spoken = [];
  window.spoken = spoken;
  const voice = { lang: 'zh-CN', name: 'test' };
  Object.defineProperty(window, 'speechSynthesis', { value: {
    getVoices: () => [voice], addEventListener() {}, cancel() {},
    speak(utterance) { spoken.push(utterance.text); utterance.onend?.(); },
  } });
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
"""


def ask(citizen: Citizen, text: str = "娃刚生下来户口咋上") -> None:
    citizen.say(text)


def open_settings(page: Page) -> None:
    page.get_by_test_id("settings").click()


def close_sheet(page: Page) -> None:
    page.keyboard.press("Escape")


@pytest.mark.parametrize(
    ("screen", "look"),
    [(PHONE, "plain"), (DESKTOP, "plain"), (PHONE, "contrast"), (DESKTOP, "dark")],
    ids=["phone", "desktop", "contrast", "dark"],
)
def test_axe_finds_nothing_serious(light_visit: Visit, screen: Any, look: str) -> None:
    """WCAG A and AA in every state of the page; with high contrast also 7 : 1 (AAA)."""
    dark = {"color_scheme": "dark"} if look == "dark" else {}
    citizen = light_visit(hears=True, viewport=screen, permissions=["microphone"], **dark)
    page = citizen.page
    rules = (ENHANCED,) if look == "contrast" else ()
    if look == "contrast":
        open_settings(page)
        page.get_by_test_id("contrast").check()
        close_sheet(page)

    assert grave_issues(page, *rules) == [], "welcome"
    ask(citizen)
    assert grave_issues(page, *rules) == [], "answers"
    for button, name in (("help", "help"), ("settings", "settings"), ("map", "picker")):
        page.get_by_test_id(button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        if name == "picker":
            page.get_by_test_id("picker-search").fill("文昌")
            expect(page.get_by_test_id("picker-found")).to_contain_text("文昌花园")
        assert grave_issues(page, *rules) == [], name
        close_sheet(page)
        if page.get_by_role("dialog").count():  # the first Escape emptied the search
            close_sheet(page)
    page.get_by_test_id("record").click()
    expect(page.get_by_test_id("recording")).to_be_visible()
    assert grave_issues(page, *rules) == [], "recording"
    page.get_by_test_id("record-done").click()
    expect(citizen.attachments()).to_have_count(1)
    assert grave_issues(page, *rules) == [], "recorded"


def test_the_page_speaks_three_languages(light_visit: Visit) -> None:
    citizen = light_visit()
    page = citizen.page
    citizen.field.fill("写到一半")
    citizen.attach_photo(b"\xff\xd8\xff" + bytes(40))
    titles = {
        "zh-Hant": ("您好，想辦什麼事？", "身份證丟了怎麼補辦？"),
        "en": ("Hello, how can I help?", "How do I replace a lost ID card?"),
        "zh-Hans": ("您好，想办什么事？", "身份证丢了怎么补办？"),
    }
    for code, (title, sample) in titles.items():
        page.locator(f'#welcome-languages [data-language="{code}"]').click()
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.get_by_test_id("sample").first).to_have_text(sample)
        expect(citizen.field).to_have_value("写到一半")
        expect(citizen.attachments()).to_have_count(1)

    page.locator('#welcome-languages [data-language="en"]').click()
    page.get_by_test_id("attachment-remove").click()
    citizen.field.fill("")
    citizen.answered(page.get_by_test_id("sample").first.click)
    expect(citizen.mine.last.locator(".bubble")).to_have_text("身份证丢了怎么补办？")
    expect(citizen.answers.first.locator(".bubble")).to_have_attribute("lang", "zh-CN")
    expect(citizen.answers.last.locator(".steps")).to_have_attribute("lang", "en")
    expect(citizen.answers.last.locator(".steps li").nth(2)).to_have_text("In work")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(citizen.answers.last.locator(".steps li").nth(2)).to_have_text("In work")


@pytest.mark.parametrize(
    ("locale", "address", "language"),
    [
        ("zh-TW", "/", "zh-Hant"),
        ("en-GB", "/", "en"),
        ("zh-CN", "/?lang=en", "en"),
        ("zh-CN", "/?lang=xx", "zh-Hans"),
    ],
)
def test_the_first_language(light_visit: Visit, locale: str, address: str, language: str) -> None:
    citizen = light_visit(address, locale=locale)
    expect(citizen.page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize(
    ("screen", "language"), [(PHONE, "en"), (DESKTOP, "zh-Hans")], ids=["phone", "desktop"]
)
def test_twice_the_type_has_no_sideways_scroll(
    light_visit: Visit, screen: Any, language: str
) -> None:
    citizen = light_visit(f"/?lang={language}", hears=True, viewport=screen)
    page = citizen.page
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    normal = citizen.field.evaluate(size)
    for value, factor in (("large", 1.2), ("huge", 2.0)):
        open_settings(page)
        page.locator(f'[name="size"][value="{value}"]').check()
        close_sheet(page)
        assert citizen.field.evaluate(size) >= factor * normal
        assert citizen.overflow() == [], f"welcome, {value}"
    ask(citizen)
    page.get_by_test_id("card-fold").click()
    assert citizen.overflow() == [], "answers"
    citizen.field.fill("长" * 200)
    assert citizen.overflow() == [], "composer"
    for button in ("help", "settings", "map"):
        page.get_by_test_id(button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        if button != "map":  # names at the map's edge are cut by its frame
            assert citizen.overflow() == [], button
        close_sheet(page)
    page.reload()
    assert citizen.field.evaluate(size) >= 2 * normal


def tab_to(page: Page, testid: str, most: int = 60) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(most):
        if page.get_by_test_id(testid).evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{testid} cannot be reached by Tab")


def test_a_report_by_keyboard_alone(light_visit: Visit, light: Gateway) -> None:
    """Place from the map, words, send, answer by a button: the mouse stays where it is."""
    citizen = light_visit()
    page, keyboard = citizen.page, citizen.page.keyboard
    tab_to(page, "map")
    keyboard.press("Enter")
    where = page.get_by_test_id("picker-where")
    expect(where).to_contain_text("云东区")
    tab_to(page, "picker-search")
    keyboard.type("文昌花园")
    expect(page.locator("#picker-count")).to_have_text("找到 1 个地方")
    keyboard.press("Enter")
    expect(where).to_have_text("云东区文昌街道，文昌花园")
    expect(page.get_by_test_id("picker-map")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(where).not_to_have_text("云东区文昌街道，文昌花园")
    for _ in range(8):
        keyboard.press("-")
    keyboard.press("Enter")
    expect(page.get_by_test_id("picker")).to_be_hidden()
    expect(citizen.attachments()).to_contain_text("地图选点：云东区文昌街道")
    expect(citizen.field).to_be_focused()

    keyboard.type("楼下餐馆油烟太大了")
    citizen.answered(lambda: keyboard.press("Enter"))
    (point,) = light.rasa.heard[0]["metadata"]["locations"]
    assert point["source"] == "shared"
    place = next(p for p in places(page) if p["name"] == "文昌花园")
    assert 0.0001 < point["latitude"] - place["point"][0] < 0.01
    first = citizen.answers.first.get_by_test_id("quick-button").first
    for _ in range(30):
        if first.evaluate("node => node === document.activeElement"):
            break
        keyboard.press("Shift+Tab")
    citizen.answered(lambda: keyboard.press("Enter"))
    expect(citizen.mine.last.locator(".bubble")).to_have_text("要带什么")


def places(page: Page) -> list[dict[str, Any]]:
    """The named places of the map."""
    found: list[dict[str, Any]] = page.evaluate(
        "fetch('/web/city.json').then((answer) => answer.json()).then((city) => city.places)"
    )
    return found


def test_a_place_by_touch_and_by_position(light_visit: Visit) -> None:
    citizen = light_visit(
        has_touch=True, is_mobile=True, geolocation=SPOT, permissions=["geolocation"]
    )
    page = citizen.page
    page.get_by_test_id("map").tap()
    where = page.get_by_test_id("picker-where")
    expect(where).to_contain_text("云东区")
    before = where.inner_text()
    box = page.get_by_test_id("picker-map").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.2)
    expect(where).not_to_have_text(before)
    expect(where).to_contain_text("清河区")
    page.locator("#picker-here").tap()
    expect(where).to_contain_text("云东区文昌街道")
    page.get_by_test_id("picker-take").tap()
    expect(citizen.attachments()).to_contain_text("地图选点：云东区文昌街道")


def test_outside_the_city_nothing_can_be_chosen(light_visit: Visit) -> None:
    citizen = light_visit()
    page = citizen.page
    page.get_by_test_id("map").click()
    expect(page.get_by_test_id("picker-where")).to_contain_text("云东区")
    page.get_by_test_id("picker-map").focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("picker-where")).to_have_text("这里不在云州市范围内")
    expect(page.get_by_test_id("picker-take")).to_be_disabled()


def test_speaking_is_offered_only_to_a_server_that_hears(light_visit: Visit) -> None:
    deaf = light_visit().page
    expect(deaf.get_by_test_id("map")).to_be_visible()
    expect(deaf.get_by_test_id("record")).to_be_hidden()
    expect(deaf.locator("#audio-tool")).to_be_hidden()
    hearing = light_visit(hears=True).page
    expect(hearing.get_by_test_id("record")).to_be_visible()
    expect(hearing.locator("#audio-tool")).to_be_visible()


def test_a_spoken_message_is_heard_back_and_answered_aloud(light_visit: Visit) -> None:
    """Level while recording, play-back before sending, the transcript, the answer read aloud."""
    citizen = light_visit(hears=True, permissions=["microphone"])
    page = citizen.page
    page.add_init_script(VOICE)
    page.reload()
    page.get_by_test_id("record").click()
    level = page.get_by_test_id("level")
    assert page.evaluate(  # the beep is short: every frame is looked at
        "node => new Promise((done) => { const until = performance.now() + 20000;"
        " const look = () => node.dataset.level >= 0.1 ? done(true)"
        " : performance.now() > until ? done(false) : requestAnimationFrame(look); look(); })",
        level.element_handle(),
    )
    page.get_by_test_id("record-done").click()
    recording = citizen.attachments().locator("audio")
    expect(recording).to_have_attribute("aria-label", re.compile(r"^录音 \d:\d\d$"))
    assert recording.evaluate(
        "node => new Promise((done) => { node.onplaying = () => done(true);"
        " node.onerror = () => done(false); node.play(); })"
    )

    sent: list[Request] = []

    def answer(route: Route) -> None:
        sent.append(route.request)
        reply = {"text": "您是想问社保卡在哪里办吗？", "speech": "您是想问社保卡在哪里办吗？"}
        route.fulfill(json={"transcript": "社保卡在哪里办", "replies": [reply]})

    page.route("**/web/messages", answer)
    citizen.answered(page.get_by_test_id("send").click)
    (body,) = (json.loads(request.post_data or "") for request in sent)
    assert body["attachments"][0]["type"] == "audio"
    assert body["attachments"][0]["content_type"].startswith("audio/")
    assert len(body["attachments"][0]["data"]) > 1000
    expect(page.get_by_test_id("transcript")).to_have_text("听到：社保卡在哪里办")
    assert spoken(page) == ["您是想问社保卡在哪里办吗？"]


def test_the_server_speaks_where_the_device_has_no_voice(light_visit: Visit) -> None:
    """Headless Chromium has none: the answer's words go to the server and come back as sound."""
    citizen = light_visit(hears=True)
    page = citizen.page
    asked: list[str] = []

    def speak(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["text"])
        route.fulfill(body=beep(), content_type="audio/wav")

    page.route("**/web/speech", speak)
    ask(citizen)
    assert asked == []
    button = citizen.answers.first.get_by_test_id("read-aloud")
    with page.expect_response("**/web/speech"):
        button.click()
    expect(button).to_have_attribute("aria-pressed", "false")  # it was played to its end
    assert "当场上户口" in asked[0]


def beep(seconds: float = 0.3, rate: int = 16_000) -> bytes:
    """A WAV file of a tone."""
    tone = (int(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate)))
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in tone))
    return stream.getvalue()


def test_answers_are_read_aloud_when_wished(light_visit: Visit) -> None:
    citizen = light_visit()
    page = citizen.page
    page.add_init_script(VOICE)
    page.reload()
    ask(citizen)
    assert page.evaluate("window.spoken") == []
    open_settings(page)
    page.get_by_label("收到回答自动朗读").check()
    close_sheet(page)
    ask(citizen)
    assert "不收费" in spoken(page)[0]


def spoken(page: Page) -> list[str]:
    """What the page has read aloud, once it has begun."""
    return wait_until(lambda: list(page.evaluate("window.spoken")), "words read aloud")
