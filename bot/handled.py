"""What a conversation already heard of a message: the same message sent again is handled once.

A sender that does not know whether its message arrived sends it again under the same
``message_id``. What Rasa handled is in the tracker, which is saved once a turn is over.
"""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Dict, List, Optional, Text, Tuple

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

Answer = Dict[Text, Any]


def turns_of(
    tracker: Optional[DialogueStateTracker], message_id: Text
) -> Tuple[int, List[Dict[Text, Any]]]:
    """Return how many wishes of a message are handled, and the bot's messages that answered them.

    A turn that said nothing (its action failed) does not count: it is worth another try.
    """
    turns, spoken, own, silent = 0, [], False, False
    for event in tracker.events if tracker is not None else ():
        if isinstance(event, UserUttered):
            own = (event.metadata or {}).get("message_id") == message_id
            silent = own
        elif own and isinstance(event, BotUttered):
            turns += silent
            silent = False
            spoken.append(event.message())
    return turns, spoken


class InHand:
    """Messages that are being handled, so that one sent again meanwhile waits for the same answer.

    The work goes on when the first sender hangs up: half a turn would be lost otherwise.
    """

    def __init__(self) -> None:
        self._tasks: Dict[Tuple[Text, Text], "asyncio.Task[Answer]"] = {}

    async def once(
        self, sender: Text, message_id: Text, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Return the answer of ``work``, begun unless the same message is in hand."""
        key = (sender, message_id)
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(work())
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._let_go(key, done))
        return await asyncio.shield(task)

    def _let_go(self, key: Tuple[Text, Text], done: "asyncio.Task[Answer]") -> None:
        del self._tasks[key]
        if not done.cancelled():
            done.exception()  # whoever still waits for it has seen it
