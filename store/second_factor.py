"""The second factor of an account: its secret, codes that were used, codes to get back in with."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from base.settings import get_settings
from base.totp import matching_step, new_secret
from store.agent_models import Agent, RecoveryCode
from store.models import plain
from store.privacy import reveal

RECOVERY_CODES = 10
_CODE_CHARS = 16
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without I, L, O, 0 and 1: 16 of these 31 are 79 random bits."""
_CHECK, _ENROL = "second_factor", "second_factor_shown"


def is_enrolled(agent: Agent) -> bool:
    """Tell whether an account has a second factor."""
    return agent.totp_secret is not None


def begin(session: Session, agent: Agent) -> None:
    """Make a secret for an account; it counts once :func:`confirm` has seen a code of it."""
    agent.totp_pending = plain(new_secret())
    session.flush()


def pending_secret(session: Session, agent: Agent) -> str | None:
    """Return the secret that waits to be confirmed, for its owner to put into his app."""
    if agent.totp_pending is None:
        return None
    return str(_opened(session, agent, "totp_pending", _ENROL))


def confirm(session: Session, agent: Agent, code: str, now: datetime) -> tuple[str, ...]:
    """Put the new secret in force and return new recovery codes; earlier ones end.

    Raises:
        StateError: ``totp_not_begun``.
        InputError: ``totp_code_wrong``.
    """
    secret = pending_secret(session, agent)
    if secret is None:
        raise StateError("totp_not_begun", "请先开始绑定，再输入动态码。", "nothing is pending")
    step = matching_step(secret, _digits(code), now.timestamp(), 0)
    if step is None:
        raise InputError("totp_code_wrong", "动态码不对，请核对手机时间后再试。", "enrolment")
    agent.totp_secret, agent.totp_step, agent.totp_pending = plain(secret), step, None
    return renew_codes(session, agent)


def accepts(session: Session, agent: Agent, code: str, now: datetime) -> bool:
    """Tell whether a code is right, and use it up: a step or a recovery code counts once.

    The caller holds the lock of the account's row (:func:`store.agents.by_name`).
    """
    if agent.totp_secret is None:
        return False
    step = matching_step(
        str(_opened(session, agent, "totp_secret", _CHECK)),
        _digits(code),
        now.timestamp(),
        agent.totp_step,
    )
    if step is not None:
        agent.totp_step = step
        return True
    used = session.scalars(
        delete(RecoveryCode)
        .where(RecoveryCode.agent_id == agent.id, RecoveryCode.code_hash == _hash(agent, code))
        .returning(RecoveryCode.id)
    ).all()
    return bool(used)


def renew_codes(session: Session, agent: Agent) -> tuple[str, ...]:
    """Return ten new recovery codes in groups of four; only their hashes are kept."""
    _forget_codes(session, agent)
    codes = tuple(
        "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS))
        for _ in range(RECOVERY_CODES)
    )
    session.add_all(RecoveryCode(agent_id=agent.id, code_hash=_hash(agent, code)) for code in codes)
    return tuple("-".join(code[i : i + 4] for i in range(0, _CODE_CHARS, 4)) for code in codes)


def codes_left(session: Session, agent: Agent) -> int:
    """Return how many recovery codes were not used yet."""
    count = select(func.count()).where(RecoveryCode.agent_id == agent.id)
    return session.scalar(count.select_from(RecoveryCode)) or 0


def forget(session: Session, agent: Agent) -> None:
    """Take the second factor away: its phone is lost."""
    agent.totp_secret, agent.totp_pending, agent.totp_step = None, None, 0
    _forget_codes(session, agent)


def _forget_codes(session: Session, agent: Agent) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.agent_id == agent.id))


def _opened(session: Session, agent: Agent, column: str, purpose: str) -> object:
    return reveal(session, agent, column, actor=f"agent:{agent.name}", purpose=purpose)


def _digits(code: str) -> str:
    return "".join(code.split())


def _hash(agent: Agent, code: str) -> str:
    """Return the HMAC-SHA256 of a recovery code under ``SHIMIN_SESSION_KEY``, hexadecimal."""
    key = get_settings().session_key.get_secret_value().encode()
    bare = "".join(char for char in code.upper() if char.isalnum())[: _CODE_CHARS + 1]
    return hmac.new(key, f"recovery:{agent.id}:{bare}".encode(), hashlib.sha256).hexdigest()
