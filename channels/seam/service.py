"""The process of the channels: receivers, one worker, a sender each, and their housekeeping."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event, Thread

import structlog

from base.settings import Settings
from channels.seam.channel import Channel
from channels.seam.sender import Sender
from channels.seam.worker import Assistant, Worker
from store.buttons import forget_buttons
from store.choices import forget_choices
from store.database import unit_of_work
from store.incoming import forget_incoming, resume
from store.models import utc_now
from store.outgoing import forget_outgoing, resume_outgoing

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 5.0
HOUSE_SECONDS = 3600.0
STOP_SECONDS = 30.0
KEEP = timedelta(days=7)
"""Platforms push again for a day at most; what is answered is only a name by then."""
KEEP_BUTTONS = timedelta(days=60)


class Service:
    """Runs channels until it is told to stop.

    An installation has one: what another one has in hand is taken up at the start.

    Args:
        channels: those to run.
        assistant: who answers.
        settings: number of threads.
    """

    def __init__(
        self, channels: Sequence[Channel], assistant: Assistant, settings: Settings
    ) -> None:
        self._channels = channels
        self._worker = Worker(
            {channel.name: channel for channel in channels}, assistant, settings.channel_workers
        )
        self._stop = Event()

    def stop(self) -> None:
        """Finish what is in hand and let :meth:`run` return."""
        self._stop.set()

    def run(self) -> None:
        """Work until :meth:`stop`."""
        names = [channel.name for channel in self._channels]
        with unit_of_work() as session:
            resume(session, names, utc_now())
            resume_outgoing(session, names, utc_now())
        threads = [_thread("worker", lambda: self._worker.run(self._stop))]
        threads.append(_thread("housekeeping", self._keep_house))
        for channel in self._channels:
            channel.start()
            threads.append(_thread(f"{channel.name}-receiver", self._receiving(channel)))
            threads.append(_thread(f"{channel.name}-sender", self._sending(channel)))
            log.info("channel_up", channel=channel.name)
        for thread in threads:
            thread.start()
        self._stop.wait()
        for thread in threads:
            thread.join(STOP_SECONDS)
        for channel in self._channels:
            channel.close()
        log.info("channels_stopped")

    def _sending(self, channel: Channel) -> Callable[[], None]:
        return lambda: Sender(channel).run(self._stop)

    def _receiving(self, channel: Channel) -> Callable[[], None]:
        def receive() -> None:
            while not self._stop.is_set():
                try:
                    channel.receive(self._stop)
                except Exception as error:
                    name = type(error).__name__
                    log.error("receiver_failed", channel=channel.name, error=name, exc_info=True)
                    self._stop.wait(AGAIN_SECONDS)
                else:
                    return

        return receive

    def _keep_house(self) -> None:
        while not self._stop.is_set():
            now = utc_now()
            try:
                with unit_of_work() as session:
                    forget_incoming(session, now - KEEP)
                    forget_outgoing(session, now - KEEP)
                    forget_buttons(session, now - KEEP_BUTTONS)
                    forget_choices(session, now - KEEP_BUTTONS)
            except Exception:
                log.exception("housekeeping_failed")
            self._stop.wait(HOUSE_SECONDS)


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` when the process is asked to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def wait_for_end() -> None:
    """Do nothing until the process is asked to end."""
    ended = Event()
    stop_on_signals(ended.set)
    ended.wait()


def _thread(name: str, work: Callable[[], None]) -> Thread:
    return threading.Thread(target=work, name=name, daemon=True)
