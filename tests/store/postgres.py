"""A real PostgreSQL server for a test session, when its programs are installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from store.database import upgrade
from tests.stack import free_port

NEEDED = ("initdb", "postgres")
USER = "postgres"
MEMORY = Path("/dev/shm")
ROOMY = 3 * 2**30
"""Free bytes with which the data may lie in memory: a test's database is some 8 MB of 300 files."""


def installed() -> bool:
    """Whether a server can be started here (as root it needs the ``postgres`` account)."""
    return all(shutil.which(name) for name in NEEDED) and (os.geteuid() != 0 or _account_exists())


def _account_exists() -> bool:
    import pwd

    return any(entry.pw_name == USER for entry in pwd.getpwall())


@contextmanager
def server() -> Iterator[str]:
    """Run a server on a free port; gives its URL without a database name."""
    account: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        account = {"user": USER, "group": USER, "extra_groups": []}
    with tempfile.TemporaryDirectory(
        prefix="shimin-pg-", dir=_where(), ignore_cleanup_errors=True
    ) as name:
        folder, port = Path(name), free_port()
        if account:
            shutil.chown(folder, USER, USER)
        subprocess.run(
            ["initdb", "-D", name, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True,
            capture_output=True,
            cwd=name,
            **account,
        )
        options = ["-D", name, "-k", name, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                ["postgres", *options, "-c", "fsync=off"],
                stdout=log,
                stderr=log,
                cwd=name,
                **account,
            )
        url = f"postgresql://{USER}@127.0.0.1:{port}"
        try:
            _wait(url, process, folder / "server.log")
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: the data is thrown away
            process.wait(20)


def _where() -> Path | None:
    """Memory when there is plenty, else the usual temporary folder."""
    plenty = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY
    return MEMORY if plenty else None


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def new_database(url: str, name: str, *, template: str = "template1") -> str:
    """Create a database, empty or a copy of ``template``; gives its SQLAlchemy URL."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # names of our own
    return f"{url.replace('postgresql://', 'postgresql+psycopg://')}/{name}"


@lru_cache
def migrated_template(url: str) -> str:
    """Bring a database to the newest migration, once a server; gives its name to copy."""
    upgrade(new_database(url, "migrated"))
    return "migrated"
