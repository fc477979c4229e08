"""The whole product on loopback: real Rasa server, action server, gateway, desk and relay.

Every process is the one `make run` starts, with its own ports, database, media folder and
keys, so that a test run touches nothing of a development installation.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.fernet import Fernet

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
SHIMIN = ROOT / ".venv" / "bin" / "shimin"
START_SECONDS = 180
HEALTH_SECONDS = 15
"""After so long without an answer the gateway is asked again how it is."""
JOINED = "light.pollution"
"""The one category in which a running stack offers to join what others reported."""


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lonely_categories(folder: Path) -> Path:
    """The sample city's categories, with duplicates looked for in :data:`JOINED` alone.

    Tests on one installation tell of the same kitchen again and again and want tickets of
    their own.
    """
    source = ROOT / "dispatch" / "categories.yml"
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    for row in document["categories"]:
        if row["code"] != JOINED:
            row["duplicate_metres"] = 0
    target = folder / "categories.yml"
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    for name in ("category_examples.yml", "category_words.yml"):
        beside = target.with_name(name)
        if not beside.exists():
            beside.symlink_to(source.with_name(name))
    return target


def stack_environment(folder: Path) -> dict[str, str]:
    """Settings of an isolated installation under ``folder``."""
    ports = {name: free_port() for name in ("gateway", "actions", "rasa", "desk")}
    keys = {name: Fernet.generate_key().decode() for name in ("DATA_KEY", "TRACKER_KEY")}
    for name in (
        "API_KEY",
        "SESSION_KEY",
        "WEBHOOK_SECRET",
        "DISPATCH_API_KEY",
        "DESK_PASSWORD",
        "RASA_TOKEN",
    ):
        keys[name] = secrets.token_urlsafe(16)
    values = {
        **keys,
        **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
        **{f"{name}_METRICS_PORT": str(free_port()) for name in ("GATEWAY", "ACTIONS", "RELAY")},
        "DATABASE_URL": f"sqlite:///{folder / 'shimin.db'}",
        "DESK_DATABASE_URL": f"sqlite:///{folder / 'desk.db'}",
        "TRACKER_URL": f"sqlite:///{folder / 'rasa.db'}",
        "CATEGORIES_FILE": str(lonely_categories(folder)),
        "MEDIA_DIR": str(folder / "media"),
        "DESK_MEDIA_DIR": str(folder / "desk-media"),
        "DISPATCH_URL": f"http://127.0.0.1:{ports['desk']}",
        "PUBLIC_URL": f"http://127.0.0.1:{ports['gateway']}",
        "RELAY_POLL_SECONDS": "0.3",
        "STATUS_POLL_SECONDS": "2",
        "BREAKER_REST_SECONDS": "2",
        "RATE_CITIZEN": "6000/minute",  # tests speak as one citizen, and fast
        "RATE_ADDRESS": "60000/minute",
    }
    return {f"SHIMIN_{name}": value for name, value in values.items()}


@dataclass
class Stack:
    """A running installation. ``start``/``stop`` a process by its name in the Procfile."""

    folder: Path
    settings: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base URL of the gateway."""
        return f"http://127.0.0.1:{self.settings['SHIMIN_GATEWAY_PORT']}"

    @property
    def desk_url(self) -> str:
        """Base URL of the desk."""
        return f"http://127.0.0.1:{self.settings['SHIMIN_DESK_PORT']}"

    def log(self, name: str) -> str:
        """What a process has written so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def shimin(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI in this installation; ``given`` is its standard input."""
        return subprocess.run(
            [str(SHIMIN), *arguments],
            cwd=ROOT,
            env={**os.environ, **self.settings},
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self, name: str, **changes: str) -> None:
        """Start one process, with other settings if given; its output goes to ``<name>.log``."""
        output = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [str(SHIMIN), "serve", name],
            cwd=ROOT,
            env={**os.environ, **self.settings, **changes},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        output.close()

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop one process and wait until it is gone."""
        process = self.processes.pop(name)
        if process.poll() is not None:
            return  # it died by itself
        os.killpg(process.pid, how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)

    def start_all(self) -> None:
        """Create the database, start everything and wait until it answers."""
        upgraded = self.shimin("db", "upgrade")
        assert upgraded.returncode == 0, upgraded.stderr
        for name in ("rasa", "actions", "gateway", "desk", "relay"):
            self.start(name)
        self.wait_healthy()

    def stop_all(self) -> None:
        """Stop everything."""
        for name in list(self.processes):
            self.stop(name)

    def wait_healthy(self) -> dict[str, Any]:
        """Wait until health says ``ok``."""
        told: dict[str, Any] = {}

        def healthy() -> bool:
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} died:\n{self.log(name)[-3000:]}"
            with suppress(httpx.HTTPError, ValueError):
                told.update(httpx.get(f"{self.url}/api/v1/health", timeout=HEALTH_SECONDS).json())
            return told.get("status") == "ok"

        wait_until(healthy, lambda: f"health, told {told}", START_SECONDS, pause=0.5)
        return told
