"""One conversation is worked on by one worker at a time, however many workers there are.

Rasa's own Redis lock reads and writes its queue in two steps, so two workers may draw the same
number, and it asks once a second. This one takes a lease in a single step (SET NX, as
https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/ has it) and keeps
renewing it while the message is worked on: a killed worker's lease ends by itself.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import Any, AsyncGenerator, Optional, Text

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, InMemoryLockStore, LockError
from rasa.utils.endpoints import EndpointConfig
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError as LeaseError
from redis.exceptions import RedisError

LEASE_SECONDS = 8.0
"""Shorter than the gateway's patience (SHIMIN_RASA_TIMEOUT_SECONDS): who repeats a message that a
killed worker had is answered."""
PAUSE_SECONDS = 0.05
PREFIX = "shimin:conversation:"


class ConversationLocks(InMemoryLockStore):
    """Locks in Redis when ``url`` names one, else in this process, which must be the only one."""

    def __init__(self, endpoint_config: Optional[EndpointConfig] = None) -> None:
        super().__init__()
        url = endpoint_config.url if endpoint_config else None
        self._redis: Optional[Any] = Redis.from_url(url, socket_timeout=5.0) if url else None

    @asynccontextmanager
    async def lock(
        self,
        conversation_id: Text,
        lock_lifetime: float = LOCK_LIFETIME,
        wait_time_in_seconds: float = PAUSE_SECONDS,
    ) -> AsyncGenerator[TicketLock, None]:
        """Hold the conversation while the block runs.

        Raises:
            LockError: it was not free within ``lock_lifetime`` seconds, or Redis is away.
        """
        if self._redis is None:
            async with super().lock(
                conversation_id, lock_lifetime, wait_time_in_seconds
            ) as ticket_lock:
                yield ticket_lock
            return
        lease = Lock(
            self._redis,
            PREFIX + conversation_id,
            timeout=LEASE_SECONDS,
            sleep=wait_time_in_seconds,
            blocking_timeout=lock_lifetime,
        )
        try:
            if not await lease.acquire():
                raise LockError(f"conversation is busy for {lock_lifetime} s")
        except RedisError as error:
            raise LockError(f"Redis: {type(error).__name__}") from error
        renewing = asyncio.ensure_future(_renew(lease))
        try:
            yield TicketLock(conversation_id)
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError, RedisError):
                await renewing
            with suppress(LeaseError, RedisError):  # it ran out, or will
                await lease.release()


async def _renew(lease: Lock) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 4)
        await lease.reacquire()
