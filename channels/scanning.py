"""Looking for malware in what citizens attach, before any decoder touches it.

``SHIMIN_UPLOAD_SCANNER`` names who looks: ``tcp://host:port`` or ``unix:///path`` of a clamd
(INSTREAM of its protocol, clamd(8)), or ``command:program arguments``, which gets the file on its
standard input and ends with 0 (clean) or 1 (infected), as clamscan(1) does. When it gives no
answer the file is refused, not waved through: words alone still get through.
"""

from __future__ import annotations

import re
import shlex
import socket
import struct
import subprocess
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from base.errors import ConfigurationError, InputError, UpstreamError
from base.settings import Settings

log = structlog.get_logger(__name__)

_CHUNK = 64 * 1024
_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"stream: (.{1,200}) FOUND")
_CLEAN = "stream: OK"
_INFECTED = "这个文件没有通过安全检查，没有保存。请换一个文件，或者用手机重新拍一张发给我。"
_UNKNOWN = "现在没法检查文件是否安全，照片和视频先收不了。您可以先用文字告诉我，过一会儿再补照片。"


class Scanner(Protocol):
    """Looks at bytes."""

    def threat(self, data: bytes) -> str | None:
        """Return the name of what was found, None when nothing was.

        Raises:
            OSError: the scanner gave no answer, or one that makes no sense.
        """


class Clamd:
    """A clamd on a socket."""

    def __init__(self, where: tuple[str, int] | str, timeout: float) -> None:
        self._where = where
        self._timeout = timeout

    def threat(self, data: bytes) -> str | None:
        """Send the bytes in chunks (length, content; a length of 0 ends) and read the verdict."""
        with self._connected() as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(data), _CHUNK):
                chunk = data[start : start + _CHUNK]
                connection.sendall(struct.pack("!L", len(chunk)) + chunk)
            connection.sendall(struct.pack("!L", 0))
            return _verdict(_answer(connection))

    def _connected(self) -> socket.socket:
        if isinstance(self._where, tuple):
            return socket.create_connection(self._where, self._timeout)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self._timeout)
            connection.connect(self._where)
        except OSError:
            connection.close()
            raise
        return connection


class Command:
    """A program of the operator's."""

    def __init__(self, arguments: list[str], timeout: float) -> None:
        self._arguments = arguments
        self._timeout = timeout

    def threat(self, data: bytes) -> str | None:
        """Run it over the bytes."""
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own setting
                self._arguments,
                input=data,
                capture_output=True,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError("the command took too long") from error
        if done.returncode not in (0, 1):
            raise OSError(f"the command ended with {done.returncode}")
        return "found by command" if done.returncode else None


def load_scanner(settings: Settings) -> Scanner | None:
    """Return the scanner of the settings, None when none is named.

    Raises:
        ConfigurationError: the setting cannot be understood.
    """
    named, timeout = settings.upload_scanner.strip(), settings.upload_scanner_seconds
    if not named:
        return None
    kind, _, rest = named.partition(":")
    try:
        if kind == "tcp":
            url = urlsplit(named)
            return Clamd((url.hostname or "127.0.0.1", url.port or 3310), timeout)
        if kind == "unix" and rest.startswith("///"):
            return Clamd(rest[2:], timeout)
        if kind == "command" and shlex.split(rest):
            return Command(shlex.split(rest), timeout)
    except ValueError as error:
        raise ConfigurationError(f"SHIMIN_UPLOAD_SCANNER: {error}") from error
    raise ConfigurationError("SHIMIN_UPLOAD_SCANNER is not tcp://, unix:/// or command:")


def check_upload(scanner: Scanner | None, data: bytes) -> None:
    """Refuse what a scanner finds something in, or cannot look at.

    Raises:
        InputError: ``upload_infected``.
        UpstreamError: ``scanner_unavailable``.
    """
    if scanner is None:
        return
    try:
        threat = scanner.threat(data)
    except OSError as error:
        log.error("scanner_down", error=f"{type(error).__name__}: {error}"[:200])
        raise UpstreamError("scanner_unavailable", _UNKNOWN, type(error).__name__) from error
    if threat is not None:
        log.warning("upload_infected", threat=threat, bytes=len(data))
        raise InputError("upload_infected", _INFECTED, threat)


def _answer(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        part = connection.recv(_LONGEST_ANSWER)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def _verdict(answer: str) -> str | None:
    if answer == _CLEAN:
        return None
    found = _FOUND.fullmatch(answer)
    if found is None:  # "INSTREAM size limit exceeded. ERROR", or nothing at all
        raise OSError(f"clamd answered {answer[:100]!r}")
    return found[1]
