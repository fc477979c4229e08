"""The one exception tree of the project.

::

    ShiminError
    ├── ConfigurationError      the operator must change a setting or a file
    ├── InputError              the citizen sent something that cannot be used
    │   ├── TooLargeError
    │   └── TooManyError
    ├── UpstreamError           another system failed; trying again later may help
    └── StateError              the step asked for is not allowed now

Every error carries a stable machine ``code`` and a Chinese ``message`` that may be
shown to a citizen; ``detail`` is for the log and never leaves the house.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "InputError",
    "ShiminError",
    "StateError",
    "TooLargeError",
    "TooManyError",
    "UpstreamError",
]


class ShiminError(Exception):
    """Root of every error the project raises on purpose.

    Args:
        code: stable identifier, snake_case (``photo_too_large``).
        message: one Chinese sentence a citizen can act on.
        detail: English words for the operator's log.
    """

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail or message}")
        self.code = code
        self.message = message
        self.detail = detail


class ConfigurationError(ShiminError):
    """A setting, a data file or an environment is wrong."""

    def __init__(self, detail: str) -> None:
        super().__init__("configuration", "系统配置有误，请联系管理员。", detail)


class InputError(ShiminError):
    """What the citizen sent cannot be used as it is."""


class TooLargeError(InputError):
    """What the citizen sent is over a size limit."""


class TooManyError(InputError):
    """Too much came in too short a time; ``wait`` are the seconds until there is room again."""

    def __init__(self, code: str, message: str, wait: int, detail: str = "") -> None:
        super().__init__(code, message, detail)
        self.wait = wait


class UpstreamError(ShiminError):
    """A system we depend on did not answer as it should."""


class StateError(ShiminError):
    """The requested step is not allowed in the present state."""
