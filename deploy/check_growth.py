"""Checks that two Rasa workers and two gateways are one installation, which a kill does not harm.

Usage: ``PYTHONPATH=. .venv/bin/python deploy/check_growth.py --complaints 24``

It starts, on loopback and with data of its own: PostgreSQL (store and conversations), Redis
(locks), two Rasa workers, two gateways, one action server, desk and relay, and nginx, which gives
every request to the next worker in turn. The programs are Debian's postgresql, redis-server and
nginx. Citizens file complaints while first a Rasa worker and then a gateway is killed and stays
dead for a while. The exit code is 1 when a complaint is not at the desk exactly once, when a
conversation was mixed up, or when a worker had nothing to do.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from benchmarks.faults.citizen import Citizen
from benchmarks.faults.run import end_processes
from benchmarks.faults.script import complaints
from dispatch.open311 import Open311Client
from tests.stack import ROOT, SHIMIN, Stack, free_port, stack_environment
from tests.store import postgres
from tests.waiting import wait_until

START_SECONDS = 600.0
WHOLE_SECONDS = 600.0
DEAD_SECONDS = 12.0
AT_ONCE = 4
TOGETHER = 10

NGINX = """\
{user}daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 60m; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  proxy_connect_timeout 1s; proxy_read_timeout 60s; proxy_next_upstream error;
{sites}
}}
"""
SITE = """\
  upstream {name} {{ {servers} }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{name}; }} }}
"""


@dataclass
class Grown(Stack):
    """A stack whose processes may be several of a kind: ``rasa-1``, ``rasa-2``."""

    own: dict[str, dict[str, str]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one process with what is its own of the settings."""
        with (self.folder / f"{name}.log").open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [str(SHIMIN), "serve", name.partition("-")[0]],
                cwd=ROOT,
                env={**os.environ, **self.settings, **self.own.get(name, {})},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a process as a failing machine does."""
        self.stop(name, signal.SIGKILL)


@contextmanager
def program(arguments: list[str]) -> Iterator[None]:
    """Run a server until the block ends."""
    with subprocess.Popen(arguments) as process:
        try:
            yield
        finally:
            process.terminate()


def arrange(folder: Path, database_server: str, redis_port: int) -> Grown:
    """Lay out ports and settings; nothing runs yet but the databases."""
    store = postgres.new_database(database_server, "shimin")
    postgres.new_database(database_server, "rasa")
    settings = {
        **stack_environment(folder),
        "PYTHONPATH": str(ROOT),
        "SHIMIN_DATABASE_URL": store,
        "SHIMIN_TRACKER_URL": f"{database_server}/rasa",
        "SHIMIN_LOCK_URL": f"redis://127.0.0.1:{redis_port}/0",
        "SHIMIN_LOG_FORMAT": "json",
        "SHIMIN_RASA_TIMEOUT_SECONDS": "60",  # everything shares one machine
    }
    stack = Grown(folder, settings)
    for number in (1, 2):
        stack.own[f"rasa-{number}"] = {"SHIMIN_RASA_PORT": str(free_port())}
        stack.own[f"gateway-{number}"] = {
            "SHIMIN_GATEWAY_PORT": str(free_port()),
            "SHIMIN_GATEWAY_METRICS_PORT": str(free_port()),
        }
    sites = ""
    for kind in ("gateway", "rasa"):
        name = f"SHIMIN_{kind.upper()}_PORT"
        servers = " ".join(
            f"server 127.0.0.1:{stack.own[f'{kind}-{n}'][name]} max_fails=1 fail_timeout=2s;"
            for n in (1, 2)
        )
        sites += SITE.format(name=kind, servers=servers, port=settings[name])
    (folder / "nginx.conf").write_text(
        NGINX.format(user="user root;\n" if os.geteuid() == 0 else "", folder=folder, sites=sites)
    )
    return stack


def start(stack: Grown) -> None:
    """Start everything and wait until each worker is ready."""
    upgraded = stack.shimin("db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    for name in ("rasa-1", "rasa-2", "actions", "desk", "relay", "gateway-1", "gateway-2"):
        stack.start(name)
    for name, own in stack.own.items():
        kind = name.partition("-")[0]
        path = "/api/v1/ready" if kind == "gateway" else "/"
        url = f"http://127.0.0.1:{own[f'SHIMIN_{kind.upper()}_PORT']}{path}"
        wait_until(lambda url=url: answers(url), f"{name} at {url}", START_SECONDS, pause=2)
    stack.wait_healthy()


def answers(url: str) -> bool:
    """Tell whether something answers there."""
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.HTTPError:
        return False


def file_while_killing(stack: Grown, number: int, seed: int) -> list[Citizen]:
    """Let citizens file complaints; kill a worker of each kind and start it again later."""
    ending = threading.Event()
    key = stack.settings["SHIMIN_API_KEY"]
    with (
        httpx.Client(
            base_url=stack.url, headers={"Authorization": f"Bearer {key}"}, timeout=30
        ) as http,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        citizens = [
            Citizen(told, http, random.Random(seed + n), WHOLE_SECONDS)
            for n, told in enumerate(complaints(number, seed, "growth"))
        ]
        filing = [pool.submit(citizen.file, ending) for citizen in citizens]
        try:
            kill_in_turn(stack, citizens)
            for done in filing:
                done.result()
        finally:
            ending.set()  # nobody goes on when the check was broken off
    return citizens


def kill_in_turn(stack: Grown, citizens: list[Citizen]) -> None:
    """Kill a Rasa worker, later a gateway; each comes back after a while."""

    def filed() -> int:
        return sum(bool(citizen.tickets) for citizen in citizens)

    for name, part in (("rasa-2", 1 / 4), ("gateway-2", 1 / 2)):
        enough = part * len(citizens)
        wait_until(
            lambda enough=enough: filed() >= enough, f"{part:.0%} filed", WHOLE_SECONDS, pause=0.5
        )
        say(f"{filed()} filed; killing {name}")
        stack.kill(name)
        time.sleep(DEAD_SECONDS)
        stack.start(name)


def speak_at_once(stack: Grown, sender: str) -> Counter[int]:
    """Send messages of one conversation at the same moment; gives how often which status came."""
    headers = {"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"}

    def send(number: int) -> int:
        body = {"conversation_id": sender, "channel": "api", "text": f"护照怎么办理{number}"}
        url = f"{stack.url}/api/v1/messages"
        return httpx.post(url, json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(TOGETHER) as pool:
        return Counter(pool.map(send, range(TOGETHER)))


def mixed_up(database_server: str, sender: str) -> str | None:
    """Look whether the messages of a conversation were worked on one after the other."""
    query = "SELECT data FROM events WHERE sender_id = %s ORDER BY id"
    with psycopg.connect(f"{database_server}/rasa") as connection:
        types = "SELECT type_name FROM events WHERE sender_id = %s ORDER BY id"
        assert connection.execute(query, [sender]).fetchone() is not None
        course = [row[0] for row in connection.execute(types, [sender])]
    said = course.count("user")
    if said != TOGETHER:
        return f"{said} messages in the conversation, not {TOGETHER}"
    between = re.split(r"\buser\b", " ".join(course))[1:]
    silent = sum(" bot " not in f" {part} " for part in between)
    return f"{silent} messages without an answer of their own" if silent else None


def served(stack: Grown, name: str) -> int:
    """Count the messages a gateway answered, by its log."""
    lines = stack.log(name).splitlines()
    return sum(line.startswith("{") and json.loads(line)["event"] == "message" for line in lines)


def verdict(stack: Grown, citizens: list[Citizen]) -> list[str]:
    """Return what went wrong: every complaint is at the desk, once."""
    key = stack.settings["SHIMIN_DISPATCH_API_KEY"]
    tickets = [ticket for citizen in citizens for ticket in citizen.tickets]

    def at_desk() -> int:
        with Open311Client(stack.desk_url, key) as client:
            return len(list(client.all_requests()))

    wrong = []
    if len(tickets) != len(citizens) or len(set(tickets)) != len(citizens):
        wrong.append(f"{len(citizens)} citizens were shown {len(set(tickets))} tickets")
    try:
        wait_until(lambda: at_desk() >= len(citizens), "the desk has them all", 60, pause=2)
    except AssertionError as error:
        wrong.append(str(error))
    if (count := at_desk()) != len(citizens):
        wrong.append(f"the desk has {count} requests for {len(citizens)} complaints")
    for name in ("gateway-1", "gateway-2"):
        if not served(stack, name):
            wrong.append(f"{name} had nothing to do")
    return wrong


def say(words: str) -> None:
    """Print with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--complaints", type=int, default=24)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    missing = [name for name in ("redis-server", "nginx") if shutil.which(name) is None]
    if missing or not postgres.installed():
        print(f"not installed: {', '.join([*missing, 'or PostgreSQL'])}")
        return 2
    with tempfile.TemporaryDirectory(prefix="shimin-growth-") as name, ExitStack() as running:
        folder, redis_port = Path(name), free_port()
        database_server = running.enter_context(postgres.server())
        own = ["--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--loglevel"]
        running.enter_context(program(["redis-server", *own, "warning"]))
        stack = arrange(folder, database_server, redis_port)
        running.callback(end_processes, stack)
        nginx = ["nginx", "-c", str(folder / "nginx.conf"), "-p", name, "-e", f"{name}/nginx.log"]
        running.enter_context(program(nginx))
        say("starting two Rasa workers, two gateways and the rest")
        start(stack)
        citizens = file_while_killing(stack, options.complaints, options.seed)
        stack.wait_healthy()
        wrong = verdict(stack, citizens)
        statuses = speak_at_once(stack, "together")
        if statuses != {200: TOGETHER}:
            wrong.append(f"messages sent at once were answered {dict(statuses)}")
        elif trouble := mixed_up(database_server, "api:together"):
            wrong.append(trouble)
        resends = sum(citizen.resends for citizen in citizens)
        share = {name: served(stack, name) for name in ("gateway-1", "gateway-2")}
        say(f"{len(citizens)} complaints, {resends} messages sent again, answered by {share}")
    print("\n".join(wrong) or "nothing lost, nothing doubled, no conversation mixed up")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
