"""A choice that was just offered, written out instead of pressed.

Whoever writes what stands on a button means the button, on every channel. So does the number in
front of a title that has one (“3. 新生儿出生登记”): the list above the buttons shows it, too.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Dict, Optional, Text

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

LONGEST = 60
"""Characters of a text that can be a title."""
_END = "。.！!，,、 "
_NUMBERED = re.compile(r"(\d{1,2})[.、．]\s*\S")
_NUMBER = re.compile(r"(?:我?选|第)?\s*(\d{1,2})\s*[个项号]?")


def pressed(
    tracker: Optional[DialogueStateTracker], text: Text, message_id: Optional[Text]
) -> Optional[Text]:
    """Return the payload of the button whose title, or number, a text is; None for other words.

    Args:
        tracker: the conversation, None when there is none yet.
        text: what the citizen wrote.
        message_id: of this message: a conversation that heard it before is read up to there.
    """
    if tracker is None or text.startswith("/"):
        return None
    said = _plain(text)
    offered = _offered(tracker, message_id)
    if said in offered:
        return offered[said]
    number = _NUMBER.fullmatch(said)
    if number is None:
        return None
    numbered = ((_NUMBERED.match(title), payload) for title, payload in offered.items())
    return next((p for own, p in numbered if own and int(own[1]) == int(number[1])), None)


def _offered(tracker: DialogueStateTracker, message_id: Optional[Text]) -> Dict[Text, Text]:
    """Payloads by title of what was offered last; of two with one title the later counts."""
    offered: Dict[Text, Text] = {}
    for event in tracker.events:
        if isinstance(event, UserUttered):
            if message_id and (event.metadata or {}).get("message_id") == message_id:
                break
            offered = {}
        elif isinstance(event, BotUttered):
            for button in (event.data or {}).get("buttons") or ():
                offered[_plain(button.get("title") or "")] = button.get("payload") or ""
    return {title: payload for title, payload in offered.items() if title and payload}


def _plain(text: Text) -> Text:
    return unicodedata.normalize("NFKC", text).strip().strip(_END)
