"""The channels of this installation. A new channel is one line here."""

from __future__ import annotations

from collections.abc import Callable

from base.settings import Settings
from channels.seam.channel import Channel
from channels.telegram import channel as telegram
from channels.wechat import channel as wechat

BUILDERS: tuple[Callable[[Settings], Channel | None], ...] = (telegram.build, wechat.build)
"""Each builds a channel, or nothing when its settings are not given. Building is cheap: no
connection is opened before :meth:`Channel.start`.

Raises:
    ConfigurationError: its settings are given and wrong.
"""


def configured_channels(settings: Settings) -> tuple[Channel, ...]:
    """Return the channels whose settings are given.

    Raises:
        ConfigurationError: the settings of one are wrong.
    """
    built = (build(settings) for build in BUILDERS)
    return tuple(channel for channel in built if channel is not None)
