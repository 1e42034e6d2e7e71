"""A dead letter as a Firestore document."""

import json
from typing import Any

from shared.domain.messages import DEAD_LETTERS_KEPT, DeadLetter


def document_of(letter: DeadLetter) -> dict[str, Any]:
    return {
        "data": letter.data,
        # As text: a message may carry keys that no field of a document may have.
        "attributes": json.dumps(letter.attributes),
        "why": letter.why,
        "received_at": letter.received_at,
        "expires_at": letter.received_at + DEAD_LETTERS_KEPT,  # for the TTL policy
        **letter.owner._asdict(),
    }


def letter_of(snapshot: Any) -> DeadLetter:
    return DeadLetter(
        message_id=snapshot.id,
        data=snapshot.get("data"),
        attributes=json.loads(snapshot.get("attributes")),
        why=snapshot.get("why"),
        received_at=snapshot.get("received_at"),
    )
