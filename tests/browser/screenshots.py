"""Takes the README's pictures from real conversations with a running installation.

``python -m tests.browser.screenshots URL DESK_URL PASSWORD OUTDIR`` writes chat-phone.png,
chat-desktop.png, policy.png, desk.png, web-map.png, web-huge.png and web-english.png. Every run
files a complaint: use a development installation.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.pages import SPOT, Citizen, Dispatcher, chromium_program
from tests.browser.photos import kitchen_smoke

MAX_BYTES = 300_000
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
TALL_DESKTOP: ViewportSize = {"width": 1280, "height": 960}
GAP = 40
TALL_PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Studio:
    """Where pictures are taken and kept."""

    browser: Browser
    url: str
    desk_url: str
    password: str
    folder: Path

    def citizen(self, size: ViewportSize, *, phone: bool = False) -> Citizen:
        """Open the citizens' page at twice the resolution."""
        context = self.browser.new_context(
            viewport=size,
            device_scale_factor=2,
            is_mobile=phone,
            has_touch=phone,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            geolocation=SPOT,
            permissions=["geolocation"],
            reduced_motion="reduce",
        )
        return Citizen(context.new_page(), self.url).open()

    def dispatcher(self) -> Dispatcher:
        """Open the desk and log in."""
        context = self.browser.new_context(viewport=DESKTOP, locale="zh-CN", device_scale_factor=2)
        return Dispatcher(context.new_page(), self.desk_url).log_in(self.password)

    def keep(self, name: str, *pages: Image.Image) -> None:
        """Store pictures side by side as ``name``.png, below :data:`MAX_BYTES`."""
        width = sum(page.width for page in pages) + GAP * (len(pages) - 1)
        sheet = Image.new("RGB", (width, max(page.height for page in pages)), "white")
        left = 0
        for page in pages:
            sheet.paste(page, (left, 0))
            left += page.width + GAP
        path = self.folder / f"{name}.png"
        sheet.save(path, optimize=True)
        for colours in (256, 128, 64):
            if path.stat().st_size <= MAX_BYTES:
                return
            sheet.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size <= MAX_BYTES, f"{path} is too large"


def seen(page: Page) -> Image.Image:
    """Return what the page shows, once nothing moves any more."""
    page.wait_for_timeout(500)
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def take_all(studio: Studio) -> None:
    """Hold the conversations and take their pictures."""
    desktop = studio.citizen(DESKTOP)
    desktop.say("身份证丢了怎么补办？")
    studio.keep("chat-desktop", seen(desktop.page))

    policy = studio.citizen(TALL_DESKTOP)
    policy.say("我妈82岁了，本市户口，有什么补贴？")
    studio.keep("policy", seen(policy.page))

    phone = studio.citizen(TALL_PHONE, phone=True)
    phone.attach_photo(kitchen_smoke())
    phone.attach_place()
    words = "楼下餐馆油烟太大了，每天晚上都往五楼窗户里灌"
    phone.say(words)
    asked = seen(phone.page)
    phone.tap("确认提交")
    phone.news.first.wait_for()
    desk = studio.dispatcher()
    desk.open(words)
    for title in ("受理", "开始处置"):
        before = phone.news.count()
        desk.step(title)
        phone.news.nth(before).wait_for()
    phone.page.locator("#to-latest").click()
    studio.keep("chat-phone", asked, seen(phone.page))

    desk.page.goto(desk.page.url.split("?")[0])
    photo = desk.page.get_by_role("img").first
    expect(photo).to_have_js_property("complete", True)
    studio.keep("desk", seen(desk.page))


def take_page(studio: Studio) -> None:
    """Take the pictures of the page itself: the map, double type in high contrast, English."""
    mapping = studio.citizen(TALL_PHONE, phone=True).page
    mapping.get_by_test_id("map").tap()
    mapping.get_by_test_id("picker-search").fill("文昌花园")
    mapping.get_by_test_id("picker-found").get_by_role("button").first.tap()
    studio.keep("web-map", seen(mapping))

    huge = studio.citizen(TALL_PHONE, phone=True)
    huge.page.get_by_test_id("settings").tap()
    huge.page.locator('[name="size"][value="huge"]').check()
    huge.page.get_by_test_id("contrast").check()
    huge.page.keyboard.press("Escape")
    huge.say("身份证丢了怎么补办？")
    studio.keep("web-huge", seen(huge.page))

    english = studio.citizen(TALL_PHONE, phone=True).page
    english.locator('#welcome-languages [data-language="en"]').tap()
    studio.keep("web-english", seen(english))


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="Takes the README's pictures.")
    parser.add_argument("url", help="address of the gateway")
    parser.add_argument("desk_url", help="address of the desk")
    parser.add_argument("password", help="the desk's password")
    parser.add_argument("folder", type=Path, help="where the PNG files go")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox"]
        )
        studio = Studio(browser, given.url, given.desk_url, given.password, given.folder)
        take_all(studio)
        take_page(studio)
        browser.close()


if __name__ == "__main__":
    main()
