"""Administration of accounts: every change is audited, and somebody is left to make the next."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from base.settings import get_settings
from store.agent_models import Agent
from store.agents import (
    ROLES,
    add_agent,
    end_sessions,
    make_temporary,
    set_locked,
    set_password,
)
from store.models import utc_now
from store.privacy import note_access
from store.second_factor import forget

OPERATOR = "operator"
"""Who acts at the command line, in the audit."""
_TEMPORARY_CHARS = 16
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1: 16 of these 31 are 79 random bits."""


def temporary_password() -> str:
    """Return a password to be read out once and changed at the first login."""
    return "".join(secrets.choice(_READABLE) for _ in range(_TEMPORARY_CHARS))


class Accounts:
    """What one person does to accounts; ``by`` is None for the operator at the command line.

    An administrator neither locks nor demotes himself, and the last one that is open stays: both
    raise :class:`StateError`. The operator may, being able to make another.
    """

    def __init__(self, session: Session, by: Agent | None = None) -> None:
        self._session = session
        self._by = by
        self._actor = f"agent:{by.name}" if by else OPERATOR

    def find(self, agent_id: int) -> Agent:
        """Return an account, locked until the unit of work ends: two changes do not cross.

        Raises:
            StateError: ``account_unknown``.
        """
        agent = next((a for a in self._with_admins(agent_id) if a.id == agent_id), None)
        if agent is None:
            raise StateError("account_unknown", "没有这个账号。", f"account {agent_id}")
        return agent

    def create(self, name: str, password: str, role: str, *, temporary: bool = False) -> Agent:
        """Create an account; a ``temporary`` password ends (``SHIMIN_TEMPORARY_PASSWORD_HOURS``).

        Raises:
            InputError: as :func:`store.agents.add_agent`.
        """
        agent = add_agent(self._session, name, password, role)
        if temporary:
            _let_end(agent)
        self._note(agent, "account_created", f"role {role}")
        return agent

    def lock(self, agent: Agent) -> None:
        """Lock an account and end its sessions.

        Raises:
            StateError: ``own_account``, ``last_admin``.
        """
        self._keep_an_admin(agent)
        set_locked(self._session, agent, locked=True)
        self._note(agent, "account_locked", "locked_at")

    def unlock(self, agent: Agent) -> None:
        """Open an account that is locked or rests."""
        set_locked(self._session, agent, locked=False)
        self._note(agent, "account_unlocked", "locked_at")

    def change_role(self, agent: Agent, role: str) -> None:
        """Give an account another role and end its sessions.

        Raises:
            InputError: ``role_unknown``.
            StateError: ``own_account``, ``last_admin``.
        """
        if role not in ROLES:
            raise InputError("role_unknown", "没有这个角色。", f"role {role!r}")
        if role == agent.role:
            return
        self._keep_an_admin(agent)
        self._note(agent, "role_changed", f"role {agent.role} to {role}")
        agent.role = role
        end_sessions(self._session, agent)

    def give_password(self, agent: Agent, password: str, *, temporary: bool = False) -> None:
        """Give an account another password and end its sessions; a ``temporary`` one ends, too.

        Raises:
            InputError: ``password_weak``.
            StateError: ``own_account``: one's own needs the old one.
        """
        self._not_own(agent)
        set_password(self._session, agent, password)
        if temporary:
            _let_end(agent)
        self._note(agent, "password_reset", "password_hash")

    def reset_second_factor(self, agent: Agent) -> None:
        """Take the second factor of an account away and end its sessions.

        Raises:
            StateError: ``own_account``: one's own is replaced, with the password.
        """
        self._not_own(agent)
        forget(self._session, agent)
        end_sessions(self._session, agent)
        self._note(agent, "second_factor_reset", "totp_secret")

    def _keep_an_admin(self, agent: Agent) -> None:
        self._not_own(agent)
        if self._by is None or agent.role != "admin":
            return
        others = (a for a in self._with_admins(agent.id) if a.id != agent.id and a.role == "admin")
        if all(other.locked_at is not None for other in others):
            raise StateError("last_admin", "这是最后一位管理员，不能停用或更改角色。", agent.name)

    def _not_own(self, agent: Agent) -> None:
        if self._by is not None and agent.id == self._by.id:
            raise StateError(
                "own_account", "不能这样更改自己的账号，请由另一位管理员操作。", "self"
            )

    def _with_admins(self, agent_id: int) -> Sequence[Agent]:
        """Lock an account and every administrator's, always in the same order."""
        return self._session.scalars(
            select(Agent)
            .where((Agent.id == agent_id) | (Agent.role == "admin"))
            .order_by(Agent.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()

    def _note(self, agent: Agent, purpose: str, field: str) -> None:
        note_access(self._session, self._actor, purpose, f"agents:{agent.id}", field)


def _let_end(agent: Agent) -> None:
    """Let a password be temporary from now on: somebody else has seen it."""
    make_temporary(agent, utc_now() + timedelta(hours=get_settings().temporary_password_hours))
