"""Documents as a later release, or a person with a console, leaves them behind."""

import json
from collections.abc import Callable
from typing import Any

from local.sqlite.database import Database

Change = Callable[[dict[str, Any]], Any]


def change_document(database: Database, activation_id: str, change: Change) -> None:
    """Underneath the SQLite store, which notices nothing: the version stays the same."""
    query = "SELECT body FROM activations WHERE activation_id = ?"
    document = json.loads(database.execute(query, activation_id).fetchone()[0])
    change(document)
    database.execute(
        "UPDATE activations SET body = ? WHERE activation_id = ?",
        json.dumps(document),
        activation_id,
    )


def later_release(document: dict[str, Any]) -> None:
    """What a later release makes of a completed one: more fields, and values that are not ours."""
    document["step"] |= {"weather": "sun", "activation_type": "dance", "log_type": "drawing"}
    document["step"] |= {"category_id": "courage", "title": "x" * 200}
    document["usage"] |= {"audio_tokens": 7}
    document |= {"source": "coach", "fallback_reason": "holiday", "feedback": {"done": True}}


UNREADABLE: dict[str, Change] = {
    "mood 7": lambda document: document.update(mood=7),
    "mood x": lambda document: document.update(mood="x"),
    "no created_at": lambda document: document.pop("created_at"),
    "created_at is a word": lambda document: document.update(created_at="yesterday"),
    "step is a number": lambda document: document.update(step=1),
    "status is a number": lambda document: document.update(status=7),
}
