"""One's own page: the password, the second factor, the codes to get back in with."""

from __future__ import annotations

import segno
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from base.errors import InputError
from base.totp import address_of
from channels.console.areas import entered, visitor_of
from channels.console.doorkeeper import CODE_PAGE, PASSWORD_PAGE, RefusedError, Visitor
from channels.console.forms import Posted
from channels.console.masking import actor_of
from channels.console.pages import LONGEST_CODE, console_of, console_router
from store.agent_models import Agent
from store.agents import LONGEST_PASSWORD, SHORTEST_PASSWORD, by_name, set_password
from store.database import reading, unit_of_work
from store.models import utc_now
from store.privacy import note_access
from store.second_factor import (
    begin,
    codes_left,
    confirm,
    is_enrolled,
    pending_secret,
    renew_codes,
)

HOME = "/console/me"
_DONE = {"password": "口令已修改，其他地方的登录已全部退出。"}
router = console_router(HOME, entered)


@router.get("")
def own_page(request: Request, done: str = "") -> Response:
    """Show one's account."""
    console, visitor = console_of(request), visitor_of(request)
    with reading() as session:
        left = codes_left(session, visitor.staff)
    return console.page(
        visitor,
        "me.html",
        done=_DONE.get(done, ""),
        enrolled=is_enrolled(visitor.staff),
        required=console.settings.is_totp_required,
        left=left,
    )


# --- the password -------------------------------------------------------------------------


@router.get("/password")
def password_form(request: Request) -> Response:
    """Show the form for another password."""
    return _password_page(request)


@router.post("/password")
def change_password(request: Request, form: Posted) -> Response:
    """Change one's password; every other session ends, and this one gets another cookie."""
    console, visitor = console_of(request), visitor_of(request)
    old, new = form.one("old"), form.one("new")
    try:
        console.door.confirm_password(request, visitor.staff, old)
        if new != form.one("again"):
            raise InputError("passwords_differ", "两次输入的新口令不一样。", "again")
        if new == old:
            raise InputError("password_same", "新口令不能和原来的一样。", "same")
        with unit_of_work() as session:
            agent = _locked(session, visitor)
            set_password(session, agent, new)
            note_access(
                session, actor_of(agent), "password_changed", f"agents:{agent.id}", "password_hash"
            )
            token = console.door.begin_anew(session, agent)
    except (InputError, RefusedError) as error:
        return _password_page(request, error.message, getattr(error, "status", 409))
    return console.moved(f"{HOME}?done=password", token)


def _password_page(request: Request, problem: str = "", status: int = 200) -> HTMLResponse:
    console, visitor = console_of(request), visitor_of(request)
    return console.page(
        visitor,
        "me_password.html",
        status,
        problem=problem,
        forced=visitor.duty == PASSWORD_PAGE,
        shortest=SHORTEST_PASSWORD,
        longest=LONGEST_PASSWORD,
    )


# --- the second factor --------------------------------------------------------------------


@router.get("/second-factor")
def second_factor(request: Request) -> Response:
    """Show how one's second factor stands, or the QR code of one that waits to be confirmed."""
    return _factor_page(request)


@router.post("/second-factor/start")
def start(request: Request) -> Response:
    """Make a secret; what is in force stays so until a code of the new one was typed."""
    with unit_of_work() as session:
        begin(session, _locked(session, visitor_of(request)))
    return console_of(request).moved(CODE_PAGE)


@router.post("/second-factor/confirm")
def finish(request: Request, form: Posted) -> Response:
    """Put the secret in force; every other session ends, the recovery codes are shown once."""
    console, visitor = console_of(request), visitor_of(request)
    try:
        console.door.confirm_password(request, visitor.staff, form.one("password"))
        with unit_of_work() as session:
            agent = _locked(session, visitor)
            codes = confirm(session, agent, form.one("code")[:LONGEST_CODE], utc_now())
            _note_factor(session, agent, "second_factor_enrolled")
            token = console.door.begin_anew(session, agent)
    except (InputError, RefusedError) as error:
        return _factor_page(request, error.message, getattr(error, "status", 409))
    return _codes_page(request, codes, token)


@router.post("/second-factor/codes")
def fresh_codes(request: Request, form: Posted) -> Response:
    """Make new recovery codes; earlier ones and every other session end."""
    console, visitor = console_of(request), visitor_of(request)
    try:
        console.door.confirm_password(request, visitor.staff, form.one("password"))
    except RefusedError as refused:
        return _factor_page(request, refused.message, refused.status)
    with unit_of_work() as session:
        agent = _locked(session, visitor)
        if not is_enrolled(agent):
            raise InputError("totp_not_enrolled", "请先绑定身份验证器。", "no second factor")
        codes = renew_codes(session, agent)
        _note_factor(session, agent, "recovery_codes_renewed")
        token = console.door.begin_anew(session, agent)
    return _codes_page(request, codes, token)


def _factor_page(request: Request, problem: str = "", status: int = 200) -> HTMLResponse:
    console, visitor = console_of(request), visitor_of(request)
    agent = visitor.staff
    secret = None
    if agent.totp_pending is not None:
        with unit_of_work() as session:
            secret = pending_secret(session, _locked(session, visitor))
    with reading() as session:
        left = codes_left(session, agent)
    return console.page(
        visitor,
        "me_second_factor.html",
        status,
        problem=problem,
        forced=visitor.duty == CODE_PAGE,
        enrolled=is_enrolled(agent),
        left=left,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)) if secret else "",
        qr=_qr(address_of(secret, agent.name)) if secret else "",
    )


def _codes_page(request: Request, codes: tuple[str, ...], token: str) -> Response:
    """Show new recovery codes to the session that has just begun."""
    console = console_of(request)
    response = console.page(console.door.holder(token), "me_codes.html", codes=codes)
    console.door.set_cookie(response, token)
    return response


def _qr(address: str) -> Markup:
    """Return the QR code as SVG, black on white in any colour scheme: cameras want it so."""
    svg = segno.make(address, error="m").svg_inline(
        omitsize=True, dark="#000", light="#fff", title="绑定身份验证器的二维码"
    )
    return Markup(svg)  # noqa: S704 - drawn here from modules, no text of anybody's


def _note_factor(session: Session, agent: Agent, purpose: str) -> None:
    note_access(session, actor_of(agent), purpose, f"agents:{agent.id}", "totp_secret")


def _locked(session: Session, visitor: Visitor) -> Agent:
    """Return the visitor's account, locked until the unit of work ends."""
    agent = by_name(session, visitor.staff.name, lock=True)
    assert agent is not None  # accounts are never deleted
    return agent
