"""One activation's story for an operator, told from what is stored. Pure: no I/O, no clock.

It has no goal, profile, mood, step or user: whoever sees the board may not read what people wrote.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from operator import attrgetter

from pydantic import BaseModel, ConfigDict

from shared.domain.activation import Activation, Usage
from shared.domain.history import Attempt
from shared.ports import Stored

TEN_SECONDS = 10_000
"""In ms; what took longer is told in seconds."""


class Told(BaseModel):
    """Base of what is told: frozen, and each key is always there."""

    model_config = ConfigDict(frozen=True)


class Event(Told):
    """Something that happened, or began, at `at`."""

    at: datetime
    what: str
    more: str = ""


class Story(Told):
    """`next` is what happens next and when. `why` says the fallback's reason in plain words.

    `seconds_before_deadline` is counted from the answer or, where there is none yet, from now. It
    is negative when the deadline was missed, and None for a cancelled one.
    """

    activation_id: str
    status: str
    done: bool
    language: str
    created_at: datetime
    deadline: datetime
    seconds_before_deadline: float | None
    next: str
    source: str | None
    model: str | None
    fallback_reason: str | None
    why: str | None
    attempt: int
    claim_id: str | None
    lease_until: datetime | None
    not_before: datetime | None
    due_at: datetime | None
    usage: Usage
    events: tuple[Event, ...]


def story_of(stored: Stored, *, lease: timedelta) -> Story:
    """Times are the store's where it has them, so those of two machines may differ a little."""
    activation = stored.activation
    same = Story.model_fields.keys() & Activation.model_fields.keys()
    reason = activation.fallback_reason
    return Story(
        **{name: getattr(activation, name) for name in same},
        done=activation.done,
        seconds_before_deadline=_seconds_before_deadline(stored),
        lease_until=stored.written_at + lease if activation.status == "processing" else None,
        next=_next(stored, lease),
        why=_in_words(reason) if reason else None,
        # The end is last, although its time is the store's, and that of a call the worker's.
        events=(*sorted(_events(activation), key=attrgetter("at")), *_end_of(activation)),
    )


def _seconds_before_deadline(stored: Stored) -> float | None:
    activation = stored.activation
    if activation.status == "cancelled":
        return None
    answered_at = activation.updated_at if activation.done else stored.read_at
    return round((activation.deadline - answered_at).total_seconds(), 1)


def _events(activation: Activation) -> Iterator[Event]:
    yield Event(
        at=activation.created_at,
        what="Submitted",
        more=f"language {activation.language}, deadline {_clock(activation.deadline)}",
    )
    if activation.claim_id and activation.claimed_at:
        yield Event(
            at=activation.claimed_at,
            what="A worker claimed it",
            more=f"attempt {activation.attempt}, claim {activation.claim_id}",
        )
    for attempt in activation.attempts:
        took = f"{attempt.ms} ms" if attempt.ms < TEN_SECONDS else f"{attempt.ms / 1000:.1f} s"
        more = f"{attempt.model}, {took}" if attempt.model else took
        yield Event(at=attempt.at, what=_in_words(attempt.outcome), more=more)
    for at in activation.republished:
        yield Event(at=at, what="The sweep published it again", more=_why_again(activation, at))


def _end_of(activation: Activation) -> Iterator[Event]:
    if activation.done:
        yield Event(at=activation.updated_at, what=_end(activation), more=_because(activation))


def _why_again(activation: Activation, at: datetime) -> str:
    earlier = [one.outcome for one in activation.attempts if _ended_at(one) <= at]
    if not earlier:
        return "no worker had taken it: it was not published at first, or not delivered"
    if earlier[-1] == "lease_expired":
        return "its worker had fallen silent"
    return "it had been given back"


def _ended_at(attempt: Attempt) -> datetime:
    return attempt.at + timedelta(milliseconds=attempt.ms)


def _end(activation: Activation) -> str:
    if activation.status == "cancelled":
        return "The user cancelled it"
    if activation.status != "completed":
        return f"It became {activation.status}"
    return _ANSWERED.get(activation.source or "", f"Answered by {activation.source}")


def _because(activation: Activation) -> str:
    if activation.fallback_reason:
        return f"{activation.fallback_reason}: {_in_words(activation.fallback_reason)}"
    return activation.model or ""


def _next(stored: Stored, lease: timedelta) -> str:
    activation = stored.activation
    if activation.done:
        return f"It is {activation.status}, and changes no more."
    if not activation.waiting:
        return "A later release wrote this status; only that release knows what comes next."
    if stored.is_past_deadline():
        return "Its deadline is over: the next sweep answers it from the library."
    return f"{_waits_for(stored, lease)} {_sweep(stored)}"


def _waits_for(stored: Stored, lease: timedelta) -> str:
    activation = stored.activation
    ends = _clock(stored.written_at + lease)
    if stored.lease_is_live(lease):
        return f"A worker is at it; its lease ends at {ends}."
    if activation.status == "processing":
        return f"Its worker has fallen silent: the lease ended at {ends}."
    if activation.not_before is not None and stored.read_at < activation.not_before:
        why = f" ({activation.paused_for})" if activation.paused_for else ""
        return f"Gemini asked for a pause until {_clock(activation.not_before)}{why}."
    return "It is queued, and waits for a worker."


def _sweep(stored: Stored) -> str:
    activation = stored.activation
    due_at = activation.due_at or stored.read_at
    if due_at >= activation.deadline:
        return (
            f"If it has no answer at {_clock(due_at)}, its deadline, "
            "the next sweep answers it from the library."
        )
    if due_at <= stored.read_at:
        return "It is due: the next sweep publishes it again."
    return f"If it has no answer at {_clock(due_at)}, the next sweep publishes it again."


def _clock(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc):%H:%M:%S} UTC"


def _in_words(outcome: str) -> str:
    return _WORDS.get(outcome, f"{outcome}, which a later release wrote")


_ANSWERED = {
    "gemini": "Answered by Gemini",
    "fallback": "Answered from the library",
    "safety": "Answered with the caring step",
}

_WORDS = {
    "ok": "It ended with an answer",
    "unavailable": "Gemini answered 5xx or could not be reached",
    "quota": "Gemini answered 429, out of quota",
    "timeout": "Gemini did not answer in the time allowed",
    "blocked": "Gemini refused the prompt or its own answer",
    "invalid_output": "Gemini's answer was no valid step",
    "misconfigured": "Gemini refused our request: key, model or parameters",
    "circuit_open": "The circuit breaker was open, so Gemini was not asked",
    "deadline": "The deadline came first",
    "undeliverable": "The queue gave it up, or every allowed claim was used",
    "no_api_key": "No Gemini key is configured",
    "shutdown": "The worker's process had to end and gave the claim back",
    "lease_expired": "The lease expired: the worker was killed or hung",
    "cancelled": "The claim ended because the user cancelled",
}
"""Of each outcome and reason."""
