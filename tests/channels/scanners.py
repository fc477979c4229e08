"""A small server that speaks the protocol of clamd (INSTREAM, clamd(8)) on loopback."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file of EICAR: harmless, and every scanner reports it."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = self._until_nul()
        if command != b"zINSTREAM":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        data = b""
        while length := struct.unpack("!L", self.rfile.read(4))[0]:
            data += self.rfile.read(length)
            if len(data) > self.server.limit:  # type: ignore[attr-defined]
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        found = EICAR in data
        self.wfile.write(b"stream: Eicar-Signature FOUND\0" if found else b"stream: OK\0")

    def _until_nul(self) -> bytes:
        command = b""
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            command += byte
        return command


@contextmanager
def clamd(where: tuple[str, int] | str = ("127.0.0.1", 0), limit: int = 10**8) -> Iterator[int]:
    """Run it on a TCP address or the path of a UNIX socket; gives the TCP port, else 0."""
    kind = socketserver.ThreadingUnixStreamServer
    server: socketserver.BaseServer
    if isinstance(where, str):
        server = kind(where, _Handler)
    else:
        server = socketserver.ThreadingTCPServer(where, _Handler)
    server.limit = limit  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1] if not isinstance(where, str) else 0  # type: ignore[misc,return-value]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
