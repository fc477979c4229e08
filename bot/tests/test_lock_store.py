"""Locks in a real Redis server, when one is installed, and without one."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import unittest
from typing import List
from unittest import mock

from rasa.core.lock_store import LockError
from rasa.utils.endpoints import EndpointConfig
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bot import lock_store
from bot.lock_store import PREFIX, ConversationLocks


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def two_workers(first: ConversationLocks, second: ConversationLocks) -> List[str]:
    """Let two stores work on one conversation at once; gives who did what in which order."""
    course: List[str] = []

    async def work(name: str, locks: ConversationLocks) -> None:
        for _ in range(5):
            async with locks.lock("web:1", wait_time_in_seconds=0.01):
                course.append(f"{name} begins")
                await asyncio.sleep(0.01)
                course.append(f"{name} ends")

    await asyncio.gather(work("a", first), work("b", second))
    return course


class LockTest(unittest.IsolatedAsyncioTestCase):
    def check(self, course: List[str]) -> None:
        self.assertEqual(len(course), 20)
        for begin, end in zip(course[::2], course[1::2]):
            self.assertEqual((begin[0], begin[2:], end[2:]), (end[0], "begins", "ends"))

    async def test_without_redis_the_locks_are_those_of_the_process(self) -> None:
        for config in (None, EndpointConfig(""), EndpointConfig(None)):
            locks = ConversationLocks(config)
            self.check(await two_workers(locks, locks))

    async def test_a_redis_that_is_away_is_an_error(self) -> None:
        locks = ConversationLocks(EndpointConfig(f"redis://127.0.0.1:{free_port()}/0"))
        with self.assertRaises(LockError):
            async with locks.lock("web:1"):
                self.fail("no lock was held")


@unittest.skipUnless(shutil.which("redis-server"), "no Redis server is installed here")
class RedisTest(LockTest):
    async def asyncSetUp(self) -> None:
        port = free_port()
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        self.addCleanup(self.end)
        self.url = f"redis://127.0.0.1:{port}/0"
        self.redis = Redis(port=port)
        self.addCleanup(self.redis.close)
        for _ in range(300):
            try:
                self.redis.ping()
                break
            except RedisConnectionError:
                await asyncio.sleep(0.1)

    def end(self) -> None:
        self.server.terminate()
        self.server.wait(20)

    def locks(self) -> ConversationLocks:
        return ConversationLocks(EndpointConfig(self.url))

    async def test_two_workers_take_turns(self) -> None:
        self.check(await two_workers(self.locks(), self.locks()))
        self.assertEqual(self.redis.keys("*"), [])

    async def test_the_lease_of_a_killed_worker_ends_by_itself(self) -> None:
        self.redis.set(PREFIX + "web:1", "of a worker that is gone", px=300)
        async with self.locks().lock("web:1", lock_lifetime=20):
            self.assertNotEqual(self.redis.get(PREFIX + "web:1"), b"of a worker that is gone")

    async def test_a_long_message_keeps_its_lease(self) -> None:
        with mock.patch.object(lock_store, "LEASE_SECONDS", 1.0):
            async with self.locks().lock("web:1"):
                await asyncio.sleep(2.5)
                self.assertIsNotNone(self.redis.get(PREFIX + "web:1"))

    async def test_a_busy_conversation_is_an_error_in_the_end(self) -> None:
        self.redis.set(PREFIX + "web:1", "somebody else's")
        with self.assertRaises(LockError):
            async with self.locks().lock("web:1", lock_lifetime=0.2):
                self.fail("no lock was held")
        self.assertEqual(self.redis.get(PREFIX + "web:1"), b"somebody else's")


if __name__ == "__main__":
    unittest.main()
