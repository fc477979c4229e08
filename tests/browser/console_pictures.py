"""Takes the pictures of ``docs/console.md`` from a console with rows made up for it.

``python -m tests.browser.console_pictures OUTDIR`` starts a gateway of its own, and writes
console-audit.webp, console-accounts.webp, console-deliveries.webp and console-phone.webp, and each
once more as ``-dark``.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from sqlalchemy.orm import Session

from store.accounts import OPERATOR, Accounts
from store.agents import by_name
from store.audit import verify
from store.audit_search import note_check
from store.database import reading, unit_of_work
from store.models import OutboxEntry, utc_now
from store.privacy import note_access
from store.second_factor import begin, confirm, pending_secret
from tests.browser.console import log_in, refused_ticket
from tests.browser.pages import chromium_program
from tests.channels.agents import PASSWORD
from tests.channels.authenticator import Authenticator
from tests.channels.conftest import Neighbour, fine, running_gateway
from tests.isolated import isolated
from tests.stack import free_port

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
GAP = 32
STAFF = {
    "李敏": "admin",
    "王芳": "auditor",
    "陈刚": "dispatcher",
    "赵静": "agent",
    "孙丽": "editor",
}
FAULTS = ("503 service unavailable", "timed out after 10 s", "422 unknown service_code")


def fill() -> None:
    """Accounts, reads, refused deliveries, and a check of the chain."""
    with unit_of_work() as session:
        accounts = Accounts(session)
        for name, role in STAFF.items():
            accounts.create(name, PASSWORD, role)
        accounts.create("实习生", PASSWORD, "agent", temporary=True)
        _enrol(session, "陈刚")
        for number, fault in enumerate(FAULTS, 1):
            _refuse(session, f"SM2026112100000{number}", fault)
        for number in (41, 42):
            note_access(session, "agent:赵静", "call_back", f"call_backs:{number}", "contact")
    with reading() as session:
        found = verify(session)
    with unit_of_work() as session:
        note_check(session, OPERATOR, found, whole=True)


def _enrol(session: Session, name: str) -> None:
    agent = by_name(session, name, lock=True)
    assert agent is not None
    begin(session, agent)
    secret = pending_secret(session, agent)
    assert secret is not None
    confirm(session, agent, Authenticator(secret).next(), utc_now())


def _refuse(session: Session, number: str, fault: str) -> None:
    """Add a ticket that the dispatch system refused, with news of it that waits."""
    refused_ticket(session, number, "wechat:oXy", fault, opened_by="agent:陈刚")
    waiting = OutboxEntry(ticket_id=number, kind="update", idempotency_key=f"{number}u")
    waiting.created_at = utc_now() - timedelta(minutes=20)
    session.add(waiting)


def entered(browser: Browser, url: str, name: str, size: ViewportSize, *, dark: bool) -> Page:
    """Log somebody in."""
    page = browser.new_context(
        viewport=size, locale="zh-CN", color_scheme="dark" if dark else "light"
    ).new_page()
    return log_in(page, url, name)


def seen(page: Page, path: str = "") -> Image.Image:
    """Return what the screen shows of a page, by its path on the gateway."""
    if path:
        page.goto(page.url.split("/console")[0] + path)
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def beside(*pages: Image.Image) -> Image.Image:
    """Return pictures side by side."""
    width = sum(page.width for page in pages) + GAP * (len(pages) - 1)
    sheet = Image.new("RGB", (width, max(page.height for page in pages)), "white")
    left = 0
    for page in pages:
        sheet.paste(page, (left, 0))
        left += page.width + GAP
    return sheet


def take(browser: Browser, url: str, folder: Path) -> None:
    """Take the pictures."""
    for dark in (False, True):
        tone = "-dark" if dark else ""
        auditor = entered(browser, url, "王芳", WIDE, dark=dark)
        admin = entered(browser, url, "李敏", WIDE, dark=dark)
        phone = entered(browser, url, "李敏", PHONE, dark=dark)
        code = entered(browser, url, "陈刚", PHONE, dark=dark)
        binding = entered(browser, url, "赵静", PHONE, dark=dark)
        binding.goto(f"{url}/console/me/second-factor")
        binding.locator("form[action$=start] button").click()
        shots = {
            "audit": seen(auditor, "/console/audit"),
            "accounts": seen(admin, "/console/accounts"),
            "deliveries": seen(admin, "/console/deliveries"),
            "phone": beside(seen(code), seen(binding), seen(phone, "/console/deliveries")),
        }
        for name, picture in shots.items():
            picture.save(folder / f"console-{name}{tone}.webp", quality=82, method=6)


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="Takes the pictures of docs/console.md.")
    parser.add_argument("folder", type=Path, help="where the WebP files go")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    with (
        tempfile.TemporaryDirectory() as home,
        isolated(Path(home), gateway_port=free_port()) as settings,
        running_gateway(settings, rasa, actions, desk) as gateway,
        sync_playwright() as playwright,
    ):
        fill()
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox"]
        )
        take(browser, gateway.url, folder)
        browser.close()


if __name__ == "__main__":
    main()
