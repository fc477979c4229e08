"""Draws the app icons from the page's own mark: ``python -m tests.browser.icons``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from channels.web.shell import STATIC
from tests.browser.pages import chromium_program

IMAGES = STATIC / "img"
JADE = "#0f625b"
ICONS = (("icon-180", 180, 1.0), ("icon-192", 192, 1.0), ("icon-512", 512, 1.0))
MASKABLE = ("icon-maskable-512", 512, 0.72)
"""A platform may cut everything outside the middle 80 % of a maskable icon."""


def page_of(mark: str, size: int, share: float, background: str) -> str:
    """Return a page that shows the mark on a square of ``size`` pixels."""
    side = round(size * share)
    return (
        f"<style>body{{margin:0;background:{background};width:{size}px;height:{size}px;"
        f"display:grid;place-items:center}}svg{{width:{side}px;height:{side}px}}</style>{mark}"
    )


def main(folder: Path = IMAGES) -> None:
    """Write the PNG files."""
    mark = (IMAGES / "mark.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for (name, size, share), background in (
            *((icon, "transparent") for icon in ICONS),
            (MASKABLE, JADE),
        ):
            page.set_viewport_size({"width": size, "height": size})
            page.set_content(page_of(mark, size, share, background))
            page.screenshot(path=folder / f"{name}.png", omit_background=background != JADE)
        browser.close()


if __name__ == "__main__":
    main()
