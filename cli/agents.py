"""``shimin agents``: accounts of the console: agents, dispatchers, editors, auditors, admins."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from store.accounts import Accounts
    from store.agent_models import Agent

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Up to 20 characters, without spaces.")]


class RoleName(StrEnum):
    """What an account may do; an admin sees every conversation and fact, an auditor the trail."""

    AGENT = "agent"
    DISPATCHER = "dispatcher"
    EDITOR = "editor"
    AUDITOR = "auditor"
    ADMIN = "admin"


@app.callback()
def _group() -> None:
    """Accounts of the people who work at the console."""


@app.command("add")
def add(
    name: Name, role: Annotated[RoleName, typer.Option(help="What it may do.")] = RoleName.AGENT
) -> None:
    """Create an account; the password is asked for, or read as the first line of input."""
    from store.accounts import Accounts
    from store.database import unit_of_work

    password = _password()
    with unit_of_work() as session:
        Accounts(session).create(name, password, role.value)
    typer.echo(f"{name} ({role.value}) may log in at /console")


@app.command("password")
def password(name: Name) -> None:
    """Give an account another password and end its sessions."""
    given = _password()
    _change(name, lambda accounts, agent: accounts.give_password(agent, given))
    typer.echo(f"{name} has a new password")


@app.command("lock")
def lock(name: Name) -> None:
    """Lock an account and end its sessions."""
    _change(name, lambda accounts, agent: accounts.lock(agent))
    typer.echo(f"{name} is locked")


@app.command("unlock")
def unlock(name: Name) -> None:
    """Open a locked account, or one that rests after wrong passwords."""
    _change(name, lambda accounts, agent: accounts.unlock(agent))
    typer.echo(f"{name} is open")


@app.command("reset-totp")
def reset_totp(name: Name) -> None:
    """Take the second factor of an account away, when its phone is lost, and end its sessions."""
    _change(name, lambda accounts, agent: accounts.reset_second_factor(agent))
    typer.echo(f"{name} has no second factor")


@app.command("list")
def list_agents() -> None:
    """Show every account."""
    from store.agents import all_agents, is_expired
    from store.database import reading
    from store.models import utc_now

    now = utc_now()
    with reading() as session:
        for agent in all_agents(session):
            rests = agent.blocked_until is not None and agent.blocked_until > now
            state = "password expired" if is_expired(agent, now) else "open"
            state = "locked" if agent.locked_at else "rests" if rests else state
            typer.echo(f"{agent.name}\t{agent.role}\t{state}")


def _change(name: str, step: Callable[[Accounts, Agent], None]) -> None:
    from store.accounts import Accounts
    from store.agents import by_name
    from store.database import unit_of_work

    with unit_of_work() as session:
        step(Accounts(session), by_name(session, name, lock=True) or _unknown(name))


def _password() -> str:
    """Ask twice at a terminal, read a line otherwise; never an argument, which others can see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != given:
        typer.echo("the two differ", err=True)
        raise typer.Exit(2)
    return given


def _unknown(name: str) -> NoReturn:
    typer.echo(f"there is no account {name}", err=True)
    raise typer.Exit(2)
