"""The progress page of a ticket, the public map and its numbers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base.calendar import CITY_TIME
from base.settings import Settings
from channels.public.kept import Kept
from channels.public.pictures import StatusBar, map_picture, status_bar
from dispatch.case.progress import Progress, progress_of
from dispatch.case.statistics import SPANS, Figures, city_figures
from dispatch.classification.categories import Categories
from dispatch.places.atlas import Atlas
from dispatch.places.city_map import CityMap
from store.database import reading
from store.models import utc_now

HERE = Path(__file__).parent
STATIC = HERE / "static"
KEEP_SECONDS = 60.0
_LONGEST_TOKEN = 64
_MAP_WIDTH = 760.0
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
_SHARED = {"Cache-Control": f"public, max-age={KEEP_SECONDS:.0f}"}


class PublicPages:
    """What the pages are made of, loaded once."""

    def __init__(self, settings: Settings, categories: Categories) -> None:
        self._settings = settings
        self._categories = categories
        self._city = CityMap(Atlas.load(settings.city_dir), _MAP_WIDTH)
        self._figures: Kept[Figures] = Kept(KEEP_SECONDS)
        self._pages = _templates(self._city.name)

    def progress(self, token: str) -> HTMLResponse:
        """Return the page of a token; an unknown one gets a friendly page with 404."""
        found: Progress | None = None
        if len(token) <= _LONGEST_TOKEN:
            found = progress_of(token, self._categories, self._settings, utc_now())
        if found is None:
            page = self._pages.get_template("unknown.html").render()
            return HTMLResponse(page, 404, _PRIVATE)
        bar: StatusBar = status_bar(found)
        page = self._pages.get_template("progress.html").render(ticket=found, bar=bar)
        return HTMLResponse(page, 200, _PRIVATE)

    def page(self, template: str, **values: Any) -> str:
        """Return a page of a template."""
        return self._pages.get_template(template).render(values)

    def map(self, days: int) -> HTMLResponse:
        """Return the map page of the last ``days`` days."""
        figures = self.figures(days)
        page = self._pages.get_template("map.html").render(
            figures=figures, spans=SPANS, city=self._city, picture=map_picture(self._city, figures)
        )
        return HTMLResponse(page, 200, _SHARED)

    def open_data(self, days: int) -> JSONResponse:
        """Return the same numbers for machines."""
        return JSONResponse(_open_data(self.figures(days)), 200, _SHARED)

    def figures(self, days: int) -> Figures:
        """Return the figures, at most a minute old."""
        return self._figures.get(days, lambda: self._count(days))

    def _count(self, days: int) -> Figures:
        with reading() as session:
            return city_figures(session, self._categories, utc_now(), days)


router = APIRouter(include_in_schema=False)


@router.get("/progress/{token}")
def progress_page(token: str, request: Request) -> HTMLResponse:
    """Show how far a ticket is to whoever has its link."""
    return _pages(request).progress(token)


@router.get("/map")
def map_page(request: Request, days: Annotated[str, Query()] = "") -> HTMLResponse:
    """Show what was reported and mended in the city."""
    return _pages(request).map(_span(days))


@router.get("/map.json")
def map_data(request: Request, days: Annotated[str, Query()] = "") -> JSONResponse:
    """Give the numbers of the map."""
    return _pages(request).open_data(_span(days))


def _pages(request: Request) -> PublicPages:
    pages: PublicPages = request.app.state.public_pages
    return pages


def _span(days: str) -> int:
    """Read a span; anything but an offered one is the shortest."""
    return next((span for span in SPANS if str(span) == days), SPANS[0])


def _templates(city: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["city_name"] = city
    environment.filters.update(moment=_moment, span=_length, percent=lambda share: f"{share:.0%}")
    return environment


def _moment(at: datetime) -> str:
    there = at.astimezone(CITY_TIME)
    return f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"


def _length(hours: float) -> str:
    return f"{hours:.0f}小时" if hours < 48 else f"{hours / 24:.1f}天"


def _open_data(figures: Figures) -> dict[str, Any]:
    found = asdict(figures)
    found["until"] = figures.until.isoformat()
    for dot in found["dots"]:
        dot["categories"] = [
            {"name": name, "reports": reports} for name, reports in dot["categories"]
        ]
    return found
