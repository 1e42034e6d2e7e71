"""Read documents back that an older or a newer version of us, or a person, may have written."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from pydantic import ValidationError

from shared.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Raw = TypeVar("Raw")
Read = TypeVar("Read")


def parsed(activation_id: str, parse: Callable[[], Read]) -> Read:
    """Raises StoreUnavailable for a document that is none of ours, and says so in the log."""
    try:
        return parse()
    except ValidationError as error:
        places = ["/".join(map(str, found["loc"])) for found in error.errors(include_input=False)]
        log.error("store.unreadable", activation_id=activation_id, places=places[:5], alert=True)
        raise StoreUnavailable("the document can't be read") from None


def those_that_can_be_read(found: Iterable[Raw], read: Callable[[Raw], Read | None]) -> list[Read]:
    """One unreadable document must not hide the others: not from their owner, not from the sweep.

    It was logged by `parsed`, with an alert.
    """
    stored = []
    for raw in found:
        try:
            one = read(raw)
        except StoreUnavailable:
            continue
        if one is not None:
            stored.append(one)
    return stored
