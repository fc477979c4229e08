"""How the page behaves around the conversation: type size, phones, refusals, failures."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.pages import PHONE, SPOT, Citizen, Visit, Watch
from tests.browser.photos import kitchen_smoke, too_large
from tests.channels.clips import mp4
from tests.channels.photos import encoded, scene
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def type_size(locator: Locator) -> float:
    """Font size in CSS pixels."""
    return float(locator.evaluate("node => parseFloat(getComputedStyle(node).fontSize)"))


def test_large_type_lasts_over_a_reload(visit: Visit) -> None:
    citizen = visit()
    small = type_size(citizen.field)
    switch = citizen.page.get_by_test_id("large-type")
    switch.click()
    assert type_size(citizen.field) >= 1.25 * small
    citizen.page.reload()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert type_size(citizen.field) >= 1.25 * small
    switch.click()
    citizen.page.reload()
    assert type_size(citizen.field) == small


@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
def test_phone_has_no_sideways_scroll(visit: Visit, large: bool) -> None:
    citizen = visit(
        viewport=PHONE,
        is_mobile=True,
        has_touch=True,
        geolocation=SPOT,
        permissions=["geolocation"],
    )
    page = citizen.page
    if large:
        page.get_by_test_id("large-type").click()
    assert citizen.overflow() == [], "welcome"

    citizen.say("身份证丢了怎么补办？")
    page.get_by_test_id("card-fold").first.click()
    assert citizen.overflow() == [], "service card, open"
    for number in range(3):
        citizen.attach_photo(kitchen_smoke(), f"第{number + 1}张.jpg")
    citizen.attach_place()
    citizen.field.fill("长" * 300 + "https://example.cn/" + "a" * 200)
    assert citizen.overflow() == [], "composer with attachments"
    for remove in reversed(page.get_by_test_id("attachment-remove").all()):
        remove.click()
    expect(citizen.attachments()).to_have_count(0)
    document: FilePayload = {
        "name": "说明" * 40 + ".pdf",
        "mimeType": "application/pdf",
        "buffer": b"%PDF-1.4",
    }
    page.get_by_test_id("photo-input").set_input_files(document)
    expect(citizen.toast).to_contain_text("照片请选 JPG、PNG、WebP 或 HEIC 格式")
    assert citizen.overflow() == [], "refusal"
    citizen.say("W" * 400)
    assert citizen.overflow() == [], "one endless word"
    citizen.say("失业了能领什么补助？")
    citizen.tap("先看结果")
    expect(page.get_by_test_id("card-policy").first).to_be_visible()
    assert citizen.overflow() == [], "policies"
    page.get_by_test_id("help").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert citizen.overflow() == [], "help"


def test_denied_position_is_explained(visit: Visit) -> None:
    citizen = visit()
    citizen.page.get_by_test_id("location").click()
    expect(citizen.toast).to_contain_text("没有得到定位许可")
    expect(citizen.toast).to_contain_text("也可以直接打地址")
    expect(citizen.attachments()).to_have_count(0)
    expect(citizen.page.get_by_test_id("location")).to_be_enabled()


def test_oversize_photo_is_refused_before_sending(visit: Visit, tmp_path: Path) -> None:
    citizen = visit()
    citizen.field.fill("工地扬尘")
    large = tmp_path / "大照片.jpg"
    large.write_bytes(too_large())
    citizen.page.get_by_test_id("photo-input").set_input_files(large)
    expect(citizen.toast).to_have_text("“大照片.jpg”有 10.0 MB，每张照片不能超过 10 MB。")
    expect(citizen.attachments()).to_have_count(0)
    expect(citizen.field).to_have_value("工地扬尘")
    citizen.attach_photo(kitchen_smoke(), "小照片.jpg")
    expect(citizen.attachments()).to_have_count(1)
    expect(citizen.toast).to_be_hidden()


def test_a_heic_and_a_video_wait_to_be_sent(visit: Visit) -> None:
    """A HEIC shows its name where the browser cannot show the picture; one video at a time."""
    citizen = visit()
    heic = encoded(scene(), "HEIF")
    files: list[FilePayload] = [
        {"name": "油烟.heic", "mimeType": "", "buffer": heic},
        {"name": "第一段.mov", "mimeType": "video/quicktime", "buffer": mp4(b"qt  ")},
        {"name": "第二段.mp4", "mimeType": "video/mp4", "buffer": mp4()},
    ]
    citizen.page.get_by_test_id("photo-input").set_input_files(files)
    expect(citizen.attachments()).to_have_count(2)
    expect(citizen.attachments().first).to_contain_text("油烟.heic")
    expect(citizen.page.get_by_label("第二段.mp4", exact=True)).to_have_count(1)
    assert citizen.overflow() == []


def test_reload_keeps_the_conversation(visit: Visit) -> None:
    citizen = visit()
    markup = "<b>社保卡</b>在哪里办？<img src=x>"
    citizen.say(markup)
    citizen.say("护照怎么办？")
    answers = citizen.answers.count()
    citizen.field.fill("还没写完的话")
    citizen.page.reload()
    expect(citizen.mine.locator(".bubble")).to_have_text([markup, "护照怎么办？"])
    expect(citizen.answers).to_have_count(answers)
    expect(citizen.answers.last.get_by_test_id("card-service")).to_be_visible()
    expect(citizen.field).to_have_value("还没写完的话")
    citizen.field.fill("")
    citizen.tap("多少钱")
    expect(citizen.mine).to_have_count(3)


def test_keyboard_alone_can_send_and_choose(visit: Visit) -> None:
    citizen = visit()
    keyboard = citizen.page.keyboard
    keyboard.press("Tab")
    expect(citizen.page.get_by_text("跳到输入框")).to_be_focused()
    keyboard.press("Enter")
    expect(citizen.field).to_be_focused()
    keyboard.type("结婚登记要带什么？")
    citizen.answered(lambda: keyboard.press("Enter"))
    expect(citizen.field).to_be_focused()

    last = citizen.answers.last.get_by_test_id("quick-button").last
    wanted = last.inner_text()
    keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    citizen.answered(lambda: keyboard.press("Enter"))
    expect(citizen.mine.last.locator(".bubble")).to_have_text(wanted)


def test_server_failure_keeps_the_text_and_can_be_repeated(
    stack: Stack, visit: Visit, watch: Watch
) -> None:
    watch.expected.append(r"503 \(Service Unavailable\)")
    citizen = visit()
    stack.stop("rasa")
    try:
        send(citizen, "居住证怎么办理？")
        failed = citizen.mine.last
        expect(failed).to_have_attribute("data-status", "failed")
        expect(failed.get_by_role("alert")).to_contain_text("未送达：")
        expect(failed.locator(".bubble")).to_have_text("居住证怎么办理？")
        failed.get_by_test_id("edit").click()
        expect(citizen.field).to_have_value("居住证怎么办理？")
        expect(citizen.mine).to_have_count(0)
        send(citizen, "居住证怎么办理？")
        expect(citizen.mine.last).to_have_attribute("data-status", "failed")
    finally:
        stack.start("rasa")
        stack.wait_healthy()
    citizen.mine.last.get_by_test_id("retry").click()
    expect(citizen.mine.last).to_have_attribute("data-status", "sent")
    expect(citizen.mine).to_have_count(1)
    card = citizen.answers.last.get_by_test_id("card-service")
    expect(card).to_have_attribute("data-id", "residence_permit")


def test_foreign_script_never_runs(visit: Visit, watch: Watch) -> None:
    watch.expected.append("Content Security Policy")
    citizen = visit()
    citizen.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'document.title = "taken over"';
          document.body.append(script);
        }"""
    )
    expect(citizen.page).to_have_title("市民 · 云州市市民服务助手")
    assert any("Content Security Policy" in complaint for complaint in watch.complaints)


def send(citizen: Citizen, text: str) -> None:
    """Send without waiting for an answer."""
    citizen.field.fill(text)
    citizen.page.get_by_test_id("send").click()
