"""Who would benefit, and what would it cost, if a number of a policy were another one?"""

from __future__ import annotations

import math
from itertools import groupby

import structlog
from fastapi import Request, Response

from base.errors import ConfigurationError, InputError, StateError
from base.settings import Settings
from channels.console.areas import staff_of, visitor_of
from channels.console.forms import Posted
from channels.console.masking import actor_of
from channels.console.pages import console_of, console_router
from channels.notices.report import KIND_NAMES
from channels.notices.shelf import Policies, Shelf
from channels.officials.trial import Bench, Trial
from matcher.policy import Policy
from matcher.variation import numbers, varied
from store.models import utc_now

log = structlog.get_logger(__name__)

HOME = "/console/simulation"
_LONGEST_NUMBER = 20

router = console_router(HOME, staff_of("simulation"))


class SimulationDesk:
    """What the pages work with; one of it a gateway."""

    def __init__(self, settings: Settings) -> None:
        self._shelf = Shelf(settings.policies_dir)
        self.bench = Bench(settings)

    def policies(self) -> Policies:
        """Return the policies as they are on disk now; none when their files are wrong."""
        try:
            return self._shelf.policies()
        except ConfigurationError as error:
            log.error("policies_unreadable", detail=error.detail)
            return Policies.of(())


@router.get("")
def form_page(request: Request, policy: str = "") -> Response:
    """Show the policies, and the numbers of the chosen one."""
    desk = _desk(request)
    policies = desk.policies()
    chosen = policies.by_id.get(policy)
    return _page(request, policies, chosen)


@router.post("")
def run(request: Request, form: Posted) -> Response:
    """Try the changed numbers out and show what comes of them."""
    desk = _desk(request)
    policies = desk.policies()
    chosen = policies.by_id.get(form.one("policy"))
    if chosen is None:
        raise InputError("policy_unknown", "请先选择一项政策。", "policy")
    given = {number.key: form.one(number.key).strip() for number in numbers(chosen)}
    source = form.one("source")
    try:
        after = varied(chosen, _changed(chosen, given))
        actor = actor_of(visitor_of(request).staff)
        trial = desk.bench.run(chosen, after, source, actor, utc_now())
    except (InputError, StateError) as error:
        return _page(request, policies, chosen, given, source, problem=error.message)
    return _page(request, policies, chosen, given, source, trial=trial)


def _changed(policy: Policy, given: dict[str, str]) -> dict[str, float]:
    """Read the numbers that differ from the policy's; an empty field leaves its number as it is."""
    found = {}
    for number in numbers(policy):
        text = given[number.key][:_LONGEST_NUMBER]
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError("number_invalid", f"“{number.words}”里要填数字。", number.key)
        if value != number.value:
            found[number.key] = value
    if not found:
        raise InputError("nothing_changed", "数字和现行政策一样，请先改动至少一个。", policy.id)
    return found


def _page(  # noqa: PLR0913
    request: Request,
    policies: Policies,
    chosen: Policy | None,
    given: dict[str, str] | None = None,
    source: str = "",
    *,
    trial: Trial | None = None,
    problem: str = "",
) -> Response:
    listed = {
        name: [policy for policy in policies.all if policy.audience == kind]
        for kind, name in KIND_NAMES.items()
    }
    fields = numbers(chosen) if chosen else ()
    return console_of(request).page(
        visitor_of(request),
        "simulation.html",
        409 if problem else 200,
        listed=listed,
        policy=chosen,
        groups=[(name, list(found)) for name, found in groupby(fields, lambda one: one.group)],
        given=given or {number.key: number.text for number in fields},
        sources=_desk(request).bench.sources(chosen.audience) if chosen else {},
        source=source,
        trial=trial,
        problem=problem or ("" if policies.all else "政策文件暂时读不了，请联系管理员。"),
    )


def _desk(request: Request) -> SimulationDesk:
    desk: SimulationDesk = request.app.state.simulation_desk
    return desk
