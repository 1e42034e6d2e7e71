"""Cancel an activation that the user does not want any more."""

from datetime import datetime

from shared.errors import Conflict, InvalidTransition
from shared.http.problems import Problem
from shared.ports import ActivationStore, Stored

TRIES = 5
"""A worker writes an activation two or three times in its life, so this many conflicts in a row
mean that something else is wrong."""


def cancel(store: ActivationStore, stored: Stored, now: datetime) -> Stored:
    """The cancelled activation; one that is cancelled already stays as it is.

    Raises Problem: 409 when it is completed, 404 when it was erased meanwhile, 503 in a status of a
    later release, which this one can't end.
    """
    for _ in range(TRIES):
        if stored.activation.status == "cancelled":
            return stored
        try:
            return store.replace(stored.activation.cancelled(now=now), stored.version)
        except InvalidTransition:
            if not stored.activation.done:
                break
            raise Problem(409, "This activation is completed already.") from None
        except Conflict:
            stored = _read_again(store, stored)
    raise Problem(503, "Please try again in a moment.", headers={"Retry-After": "1"})


def _read_again(store: ActivationStore, stored: Stored) -> Stored:
    latest = store.get(stored.activation.activation_id)
    if latest is None:
        raise Problem(404, "There is no such activation.")
    return latest
