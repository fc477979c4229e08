"""The page of a checklist: to print, to keep, to read in large type; it needs no script.

Whoever has the signed link may read it. It shows what the matter asks for and what is ticked,
never whose it is. Opening it changes nothing.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from base.calendar import city_today
from base.settings import Settings
from enquiries.checklist_links import may_read, path_of
from enquiries.checklist_page import Printout, as_text, printout
from enquiries.checklists import Plan, sheet_of
from matcher.guides import GuideShelf
from store.checklist_models import Checklist
from store.checklists import read_plan, ticked
from store.database import unit_of_work
from store.models import utc_now

router = APIRouter(include_in_schema=False)

_LONGEST = 128
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}

Expires = Annotated[str, Query(max_length=20)]
Signature = Annotated[str, Query(max_length=_LONGEST)]


class ChecklistPages:
    """Checklists joined with the guides of the city as their files say now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._shelf = GuideShelf(settings.policies_dir)

    def find(self, checklist_id: str, expires: str, signature: str) -> Printout | None:
        """Return the page behind a link; None when it is not ours, too old or deleted."""
        if not (expires.isascii() and expires.isdigit()) or len(checklist_id) > _LONGEST:
            return None
        if not may_read(self._settings, checklist_id, int(expires), signature, utc_now()):
            return None
        guides = self._shelf.guides()
        with unit_of_work() as session:
            row = session.get(Checklist, checklist_id)
            if row is None:
                return None
            kept = read_plan(session, row, actor="link", purpose="checklist_page")
            sheet = sheet_of(guides, row.matter_id, Plan.read(kept), set(ticked(row)))
        return printout(sheet, guides, city_today()) if sheet else None


@router.get("/checklist/{checklist_id}")
def page(
    checklist_id: str, request: Request, expires: Expires = "", signature: Signature = ""
) -> HTMLResponse:
    """Show a checklist to whoever has its link."""
    found = _pages(request).find(checklist_id, expires, signature)
    render = request.app.state.public_pages.page
    if found is None:
        return HTMLResponse(render("checklist_unknown.html"), 404, _HEADERS)
    text = f"{path_of(checklist_id)}/text?expires={expires}&signature={signature}"
    return HTMLResponse(render("checklist.html", page=found, text=text), 200, _HEADERS)


@router.get("/checklist/{checklist_id}/text")
def plain(
    checklist_id: str, request: Request, expires: Expires = "", signature: Signature = ""
) -> Response:
    """Give the same as plain text."""
    found = _pages(request).find(checklist_id, expires, signature)
    if found is None:
        words = "没有找到这张清单。请回到对话里说“我的清单”，再打开一次。\n"
        return PlainTextResponse(words, 404, _HEADERS)
    return PlainTextResponse(as_text(found), 200, _HEADERS)


def _pages(request: Request) -> ChecklistPages:
    pages: ChecklistPages = request.app.state.checklist_pages
    return pages
