"""A dispatcher who takes every case at the desk from its arrival to its end.

He works with the desk's own pages and API, past the faulty network, while the desk itself is
killed again and again. Before every step he looks where the case stands.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from dispatch.classification.categories import Categories
from dispatch.desk.status import ACTIONS

CLIENT_SECONDS = 15.0
PAUSE_SECONDS = 0.5
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TARGETS = {action.key: str(action.target) for action in ACTIONS}

PLANS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.70, ("accept", "start", "resolve", "close")),
    (0.10, ("reject",)),
    (0.10, ("accept", "transfer", "accept", "start", "resolve", "close")),
    (0.10, ("accept", "start", "resolve", "reopen", "accept", "start", "resolve", "close")),
)
"""What becomes of a case, and how often."""


@dataclass
class Case:
    """One case on its way: the steps still to take, and how many were tried."""

    request_id: str
    steps: list[str]
    tried: int = 0


@dataclass
class Clerk:
    """Works on the desk's cases until told to end.

    Args:
        url: base URL of the desk itself.
        password: of the desk's page.
        categories: names the departments a case can be transferred to.
        seed: decides what becomes of each case.
    """

    url: str
    password: str
    categories: Categories
    seed: int
    cases: dict[str, Case] = field(default_factory=dict)
    retries: int = 0

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=CLIENT_SECONDS)

    def work(self, ending: threading.Event, old: frozenset[str]) -> None:
        """Take steps until ``ending``; the requests in ``old`` are not his."""
        with self._http:
            while not ending.is_set():
                with self._patience():
                    self._find_new(old)
                for case in self.cases.values():
                    if case.steps and not ending.is_set():
                        with self._patience():
                            self._step(case)
                ending.wait(PAUSE_SECONDS)

    def finished(self) -> set[str]:
        """Return the cases that reached their end."""
        return {case.request_id for case in list(self.cases.values()) if not case.steps}

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Go on when the desk is away; what it did is seen when it is back."""
        try:
            yield
        except (httpx.TransportError, _DeskError):
            self.retries += 1

    def _find_new(self, old: frozenset[str]) -> None:
        for request in self._get("/requests.json").json():
            request_id = str(request["service_request_id"])
            if request_id not in old and request_id not in self.cases:
                self.cases[request_id] = Case(request_id, list(self._plan(request_id)))

    def _plan(self, request_id: str) -> tuple[str, ...]:
        weights, plans = zip(*PLANS, strict=True)
        (plan,) = random.Random(f"{self.seed} {request_id}").choices(plans, weights)
        return tuple(plan)

    def _step(self, case: Case) -> None:
        """Take the next step of a case, unless an earlier try was taken and its answer lost."""
        step = case.steps[0]
        (request,) = self._get(f"/requests/{case.request_id}.json").json()
        if request["extended_attributes"]["detailed_status"].upper() == _TARGETS[step]:
            case.steps.pop(0)
            return
        case.tried += 1
        fields = {
            "csrf": _csrf(self._page(case.request_id)),
            "action": step,
            "explanation": f"已按规定处理（{mark(case.request_id, case.tried)}）",
            "agency": self._other_department(request["agency_responsible"]),
        }
        answer = self._http.post(f"/desk/requests/{case.request_id}/actions", data=fields)
        if answer.status_code != 303:
            raise _DeskError(f"{step}: {answer.status_code}")
        case.steps.pop(0)

    def _other_department(self, present: str) -> str:
        names = sorted({category.department for category in self.categories})
        return next(name for name in names if name != present)

    def _page(self, request_id: str) -> str:
        response = self._http.get(f"/desk/requests/{request_id}")
        if response.status_code == 303:
            self._login()
            response = self._http.get(f"/desk/requests/{request_id}")
        if response.status_code != 200:
            raise _DeskError(f"page: {response.status_code}")
        return response.text

    def _login(self) -> None:
        form = self._http.get("/desk/login").text
        fields = {"csrf": _csrf(form), "password": self.password, "operator": "李敏"}
        self._http.post("/desk/login", data=fields)

    def _get(self, path: str) -> httpx.Response:
        response = self._http.get(path, params={"extensions": "true"})
        if response.status_code != 200:
            raise _DeskError(f"{path}: {response.status_code}")
        return response


class _DeskError(Exception):
    """The desk did not do what was asked; it is asked again."""


def mark(request_id: str, number: int) -> str:
    """Return words that no other step of any case carries."""
    return f"记号{request_id}之{number}。"


def _csrf(page: str) -> str:
    found = _CSRF.search(page)
    if found is None:
        raise _DeskError("no form in the page")
    return found.group(1)
