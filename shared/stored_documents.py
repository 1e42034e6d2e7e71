"""What both stores do with a document that can't be read: a later release, or a person with a
console, may have written it. It stops nothing but itself.

Here, because both adapters need it and it logs, which the domain does not.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

import structlog
from pydantic import ValidationError

from shared.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Raw = TypeVar("Raw")
Read = TypeVar("Read")


def read_document(activation_id: str, read: Callable[[], Read]) -> Read:
    """What `read` returns. Raises StoreUnavailable where pydantic refuses the document, or one of
    the store's own columns holds no time."""
    try:
        return read()
    except ValidationError as error:
        _log_once(activation_id, tuple(_place(found["loc"]) for found in error.errors()[:5]))
        raise StoreUnavailable("the document can't be read") from None
    except (TypeError, ValueError, OverflowError, OSError) as error:
        _log_once(activation_id, (type(error).__name__,))
        raise StoreUnavailable("the document can't be read") from None


def read_all(raws: Iterable[Raw], read: Callable[[Raw], Read | None]) -> list[Read]:
    """Without those that can't be read, and those of which `read` makes None."""
    found = []
    for raw in raws:
        try:
            one = read(raw)
        except StoreUnavailable:
            continue
        if one is not None:
            found.append(one)
    return found


def read_up_to(
    limit: int, fetch: Callable[[int], list[Raw]], read: Callable[[Raw], Read | None]
) -> list[Read]:
    """The first `limit` of `read_all`. `fetch(skip)` gets the next `limit` raw documents, so that
    unreadable ones at the front don't hide those behind them, however many they are."""
    found: list[Read] = []
    skip = 0
    while len(found) < limit:
        raws = fetch(skip)
        found += read_all(raws, read)
        if len(raws) < limit:
            break
        skip += limit
    return found[:limit]


@lru_cache(maxsize=1_000)
def _log_once(activation_id: str, places: tuple[str, ...]) -> None:
    """Once in each process: the sweep and the board meet the same document again and again."""
    log.error("store.unreadable", activation_id=activation_id, places=places, alert=True)


def _place(location: tuple[int | str, ...]) -> str:
    return "/".join(map(str, location))
