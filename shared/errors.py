"""The errors that cross a boundary of this house.

    BackendError
    ├── SettingsError            a setting is missing, malformed or forbidden here
    ├── InvalidTransition        an activation can't go from its state to the one asked for
    ├── MessageNotUnderstood     a queue message that no retry will make readable
    ├── InvalidCursor            a page cursor that this store did not hand out
    ├── TokenRefused             a bearer token that is missing, forged, expired or meant for others
    │   └── NothingToVerifyWith  the signing keys could not be fetched yet: closed, for everybody
    ├── StoreError
    │   ├── AlreadyExists        create: the id is taken (it may be by our own lost write)
    │   ├── LimitReached         create: the user has submitted as many as allowed in 24 hours
    │   ├── Conflict             replace: the version is not the current one, or nothing is there
    │   └── StoreUnavailable     the store did not answer in time; the write may have been applied
    ├── PublishFailed            the queue did not confirm; the message may still arrive
    └── GeminiError              worker/gemini/port.py draws the rest of this branch

Adapters translate their vendor's errors into these once; nobody else catches a vendor's error.
"""

from datetime import datetime


class BackendError(Exception):
    """Base of every error that this backend raises on purpose."""


class SettingsError(BackendError):
    """The environment can't be used. The message is one line, without secrets, for a terminal."""


class InvalidTransition(BackendError):
    """A transition was asked of an activation whose state does not allow it."""


class MessageNotUnderstood(BackendError):
    """A message from the queue is not one of ours; redelivering it changes nothing."""


class InvalidCursor(BackendError):
    """A cursor was not made by `page`, or was altered."""


class TokenRefused(BackendError):
    """A bearer token does not prove who calls. The message never holds the token."""


class NothingToVerifyWith(TokenRefused):
    """No signing keys are there yet, so even a good token can't be told from a bad one."""


class StoreError(BackendError):
    """Base of what a store's methods raise."""


class AlreadyExists(StoreError):
    """`create` found the id taken.

    When the answer to an earlier attempt of the same call was lost, the document that is in the
    way is our own: read it and compare before calling it someone else's.
    """


class LimitReached(StoreError):
    """`create` would exceed the user's daily limit. There is room for one at `free_at`."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(free_at.isoformat())
        self.free_at = free_at


class Conflict(StoreError):
    """`replace` was refused: the expected version is not the current one, or nothing is there.

    When the answer to an earlier attempt of the same call was lost, the write that is in the way
    may be our own: read it and look for the claim id.
    """


class StoreUnavailable(StoreError):
    """The store did not answer within its total deadline. A write may or may not be applied."""


class PublishFailed(BackendError):
    """The queue did not confirm within its total deadline. The message may still be delivered."""
