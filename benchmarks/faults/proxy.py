"""An HTTP proxy in front of one server that now and then does to a request what networks do.

It is a real server on a real socket: a dropped connection is dropped, a late answer is late.
Every connection carries one request.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from dataclasses import dataclass

import h11

from benchmarks.faults.faults import Fault, FaultPlan

CLIENT_TIMEOUT_SECONDS = 10.0
"""How long the relay's client and the desk's courier wait for an answer."""
HOLD_SECONDS = CLIENT_TIMEOUT_SECONDS + 1.0
SLOW_SECONDS = 3.0
"""How long a body takes that trickles byte by byte."""
UPSTREAM_SECONDS = 60.0
SLOW_STEPS = 1000
"""At most: a long list goes in steps of some bytes."""
READ_BYTES = 65_536
MAX_BODY_BYTES = 64 * 1024 * 1024
ERRORS = (500, 502, 503)


class _BrokenError(Exception):
    """The other side went away or did not speak HTTP."""


@dataclass(frozen=True)
class _Parcel:
    """One request or answer, whole."""

    head: h11.Request | h11.Response
    body: bytes


class FaultProxy:
    """Passes requests on to ``port`` on loopback, with the faults of ``plan``.

    Args:
        port: where the server behind it listens.
        plan: draws the faults.
        spared: paths that never have one (health checks of the harness).
    """

    def __init__(self, port: int, plan: FaultPlan, spared: frozenset[str] = frozenset()) -> None:
        self.plan = plan
        self.port = 0
        self.unreachable = 0
        self._upstream = port
        self._spared = spared
        self._random = random.Random(port)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{port}", daemon=True)

    @property
    def url(self) -> str:
        """Base URL of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; ``port`` is the proxy's own from now on."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the proxy does not listen")

    def stop(self) -> None:
        """Drop every connection and stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1"))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _receive(reader, h11.Connection(h11.SERVER))
            assert isinstance(request.head, h11.Request)
            target = request.head.target.decode("latin-1").partition("?")[0]
            fault = None if target in self._spared else self.plan.draw()
            await self._carry(request, fault, writer)
        except (_BrokenError, OSError):
            pass  # as a network does: the connection just ends
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    async def _carry(
        self, request: _Parcel, fault: Fault | None, writer: asyncio.StreamWriter
    ) -> None:
        """Pass one request on and its answer back, or do what ``fault`` says."""
        if fault is Fault.DROP_BEFORE:
            return
        if fault is Fault.ERROR_BEFORE:
            await _write(writer, self._error())
            return
        if fault is Fault.CUT_REQUEST:
            await self._forward(request, cut=True)
            return
        if fault is Fault.SHORT_REQUEST:
            request = _Parcel(request.head, request.body[: len(request.body) // 2])
        if fault is Fault.TWICE_AT_ONCE:
            both = (self._forward(request), self._forward(request))
            answer, _ = await asyncio.gather(*both)
        else:
            answer = await self._forward(request, slowly=fault is Fault.SLOW_REQUEST)
        if fault is Fault.TWICE:
            answer = await self._forward(request)
        if fault is Fault.LOST_ANSWER:
            await asyncio.sleep(HOLD_SECONDS)
        elif fault is Fault.ERROR_AFTER:
            await _write(writer, self._error())
        elif fault is not Fault.DROP_AFTER:
            await _write(writer, answer, fault)

    async def _forward(
        self, request: _Parcel, *, slowly: bool = False, cut: bool = False
    ) -> _Parcel:
        """Send the request to the server and return its answer.

        Raises:
            _BrokenError: the server is not there, or went away in between.
        """
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError as error:
            self.unreachable += 1
            raise _BrokenError from error
        try:
            connection = h11.Connection(h11.CLIENT)
            writer.write(connection.send(_with_length(request)) or b"")
            await _trickle(writer, request.body, slowly=slowly, cut=cut)
            if cut:
                raise _BrokenError
            if request.body:
                connection.send(h11.Data(data=request.body))
            connection.send(h11.EndOfMessage())
            async with asyncio.timeout(UPSTREAM_SECONDS):
                return await _receive(reader, connection)
        except (OSError, TimeoutError) as error:
            raise _BrokenError from error
        finally:
            writer.close()

    def _error(self) -> _Parcel:
        status = self._random.choice(ERRORS)
        headers = [("Content-Type", "text/html")]
        if status == 503 and self._random.random() < 0.5:
            headers.append(("Retry-After", str(self._random.randint(1, 5))))
        body = f"<html><body><h1>{status}</h1>the proxy says so</body></html>".encode()
        return _Parcel(h11.Response(status_code=status, headers=headers), body)


async def _receive(reader: asyncio.StreamReader, connection: h11.Connection) -> _Parcel:
    """Read one whole request or answer.

    Raises:
        _BrokenError: it ended too early, is too large or is not HTTP.
    """
    head: h11.Request | h11.Response | None = None
    body = bytearray()
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Request | h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise _BrokenError
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _Parcel(head, bytes(body))
            elif isinstance(event, h11.ConnectionClosed):
                raise _BrokenError
    except h11.ProtocolError as error:
        raise _BrokenError from error


def _with_length(parcel: _Parcel) -> h11.Request | h11.Response:
    """Return the head for a body sent in one piece on a connection of its own."""
    dropped = {b"content-length", b"transfer-encoding", b"connection", b"expect"}
    headers = [(name, value) for name, value in parcel.head.headers if name not in dropped]
    if parcel.body or isinstance(parcel.head, h11.Response):
        headers.append((b"Content-Length", str(len(parcel.body)).encode()))
    headers.append((b"Connection", b"close"))
    if isinstance(parcel.head, h11.Request):
        return h11.Request(method=parcel.head.method, target=parcel.head.target, headers=headers)
    return h11.Response(status_code=parcel.head.status_code, headers=headers)


async def _write(writer: asyncio.StreamWriter, answer: _Parcel, fault: Fault | None = None) -> None:
    if fault is Fault.SHORT_ANSWER:
        answer = _Parcel(answer.head, answer.body[: len(answer.body) // 2])
    head = _with_length(answer)
    assert isinstance(head, h11.Response)
    lines = [b"HTTP/1.1 %d \r\n" % head.status_code]
    lines += [b"%s: %s\r\n" % (name, value) for name, value in head.headers.raw_items()]
    writer.write(b"".join(lines) + b"\r\n")
    slowly, cut = fault is Fault.SLOW_ANSWER, fault is Fault.CUT_ANSWER
    await _trickle(writer, answer.body, slowly=slowly, cut=cut)


async def _trickle(writer: asyncio.StreamWriter, body: bytes, *, slowly: bool, cut: bool) -> None:
    """Write a body: at once or byte by byte, whole or its first half."""
    if cut:
        body = body[: len(body) // 2]
    if not slowly:
        writer.write(body)
        await writer.drain()
        return
    step = -(-len(body) // SLOW_STEPS) or 1
    begun = time.monotonic()
    for start in range(0, len(body), step):
        writer.write(body[start : start + step])
        await writer.drain()
        due = begun + SLOW_SECONDS * (start + step) / len(body)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
