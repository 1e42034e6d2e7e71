"""The activation and its life: pure values and transitions, no I/O, no clock.

    queued ──claimed──▶ processing ──completed──▶ completed
      ▲  ◀──released / requeued──┘
      └── cancelled ◀── from queued or processing

Two states are terminal, `completed` and `cancelled`; nothing leads out of them.

What we write is strict (`accepted` in acceptance.py, `Answer`), what we read is tolerant: a later
release may have written an `Activation`. Unknown keys are dropped, and a status, source or reason
that this release does not know is kept as it is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.domain.history import MOST_KEPT, Attempt, Ending
from shared.domain.profile import Profile
from shared.domain.step import Step, StoredStep
from shared.errors import InvalidTransition

Status = Literal[
    "queued",  # written, waits for a worker (again, after a release or an expired lease)
    "processing",  # claimed by one worker, under a lease
    "completed",  # has its step; terminal
    "cancelled",  # the user does not want it any more; terminal
]
WAITING: tuple[Status, ...] = ("queued", "processing")

Source = Literal["gemini", "fallback", "safety"]
FallbackReason = Literal[
    "unavailable",  # Gemini answered 5xx or could not be reached
    "quota",  # Gemini answered 429
    "timeout",  # no answer within the time allowed
    "blocked",  # Gemini refused the prompt or its own answer
    "invalid_output",  # the answer was no valid step
    "misconfigured",  # Gemini refused our request: key, model or parameters
    "circuit_open",  # too many failures of late; not asked
    "deadline",  # the activation's own deadline had passed
    "undeliverable",  # the queue gave up, or every allowed claim was used
    "no_api_key",  # no key is configured; Gemini is never asked
]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED_ID = re.compile(r"__.*__")


def is_activation_id(text: str) -> bool:
    """Whether it may be one: a name that a path, a log line and a Firestore document can have.

    Firestore keeps `__.*__` for itself (page: Quotas, 'Constraints on document IDs').
    """
    return bool(_ID.fullmatch(text)) and not _RESERVED_ID.fullmatch(text)


SWEEP_GRACE = timedelta(seconds=10)
"""How long after the moment that something should have happened the sweeper looks again."""

REPUBLISH_AFTER = timedelta(seconds=45)
"""How long a new activation may wait unclaimed before it is published again.

Longer than any healthy delivery; with a sweep each 15 s a lost publish is mended within a minute.
"""


class Usage(BaseModel):
    """What an activation has cost so far, failed calls included.

    `thought_tokens` are billed as output, beside `output_tokens`, which are those of the answer.
    `cached_tokens` are a part of `prompt_tokens`, billed for less.
    """

    model_config = ConfigDict(frozen=True)

    gemini_calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    gemini_ms: int = 0

    def plus(self, other: Usage) -> Usage:
        return Usage(**{field: count + getattr(other, field) for field, count in self})


class Answer(BaseModel):
    """How an activation ends: the step, where it came from and what it cost this time.

    `attempts` are the calls of this time, `usage` is their sum, by model it is for the ledger.
    """

    model_config = ConfigDict(frozen=True)

    step: Step
    source: Source
    fallback_reason: FallbackReason | None = None
    model: str | None = None
    usage: Usage = Usage()
    usage_by_model: dict[str, Usage] = {}
    attempts: tuple[Attempt, ...] = ()


class Activation(BaseModel):
    """One request for a step and everything that has become of it.

    `deadline` is counted from acceptance by the ingress' clock; `due_at` (only while not done) is
    when the sweeper should look again, never later than the deadline: the step must be there by the
    deadline plus one interval of the sweep. `expires_at` is when the document may be deleted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    activation_id: str
    user_id: str
    mood: int = Field(ge=1, le=5)
    goal: str
    language: str
    profile: Profile | None = None
    fingerprint: str | None = None  # of the request, where it came with an Idempotency-Key
    creation_id: str | None = None  # random: a writer whose answer was lost knows its own create
    traceparent: str | None = None  # W3C, of the request: what the sweep publishes goes on with it

    created_at: AwareDatetime
    updated_at: AwareDatetime
    deadline: AwareDatetime
    expires_at: AwareDatetime
    due_at: AwareDatetime | None = None

    status: str = "queued"  # a Status, or one of a later release; so are source and reason
    attempt: int = 0
    claim_id: str | None = None
    claimed_at: AwareDatetime | None = None  # of the claim that claim_id names
    republished: tuple[AwareDatetime, ...] = ()  # by the sweep
    not_before: AwareDatetime | None = None

    step: StoredStep | None = None
    source: str | None = None
    fallback_reason: str | None = None
    model: str | None = None
    usage: Usage = Usage()
    attempts: tuple[Attempt, ...] = ()

    @property
    def waiting(self) -> bool:
        """Whether its step is still to be written. False for a status of a later release: this
        release can't judge it, so it changes nothing about the activation."""
        return self.status in WAITING

    @property
    def done(self) -> bool:
        """Whether nothing will change any more. For a status of a later release `due_at` tells:
        only what is not done has one."""
        if self.waiting:
            return False
        return self.status in ("completed", "cancelled") or self.due_at is None

    @property
    def paused_for(self) -> FallbackReason | None:
        """Why Gemini asked for the pause that this one is in, or was in last; else None. A quota
        that was used up asked for it, whatever another model answered after that."""
        known: dict[str, FallbackReason] = {reason: reason for reason in get_args(FallbackReason)}
        latest = (attempt.outcome for attempt in reversed(self.attempts))
        of_late = [known[outcome] for outcome in takewhile(known.__contains__, latest)]
        return "quota" if "quota" in of_late else next(iter(of_late), None)

    def awaits_publishing(self, now: datetime) -> bool:
        """Whether nobody has ever taken it up, and the time by which somebody should have is over:
        its publish failed, or nobody has pushed it yet."""
        fresh = self.status == "queued" and self.attempt == 0 and self.not_before is None
        return fresh and self.due_at is not None and self.due_at <= now

    def claimed(self, *, claim_id: str, now: datetime, lease: timedelta) -> Activation:
        """Taken by one worker for `lease`. `claim_id` is random, so that a writer whose answer was
        lost can recognise its own write."""
        self._must_be(WAITING, "claimed")
        return self._evolve(
            now,
            status="processing",
            attempt=self.attempt + 1,
            claim_id=claim_id,
            claimed_at=now,
            attempts=self._with(self.interrupted("lease_expired", now)),
            not_before=None,
            due_at=min(now + lease + SWEEP_GRACE, self.deadline),
        )

    def released(
        self, *, now: datetime, not_before: datetime, spent: Usage, attempts: tuple[Attempt, ...]
    ) -> Activation:
        """Given back, because Gemini asked for a pause or the process ends: the attempt of the
        activation is given back as well. The sweep publishes it again from `not_before` on."""
        self._must_be(("processing",), "released")
        return self._evolve(
            now,
            status="queued",
            attempt=self.attempt - 1,
            claim_id=None,
            claimed_at=None,
            not_before=not_before,
            due_at=min(not_before, self.deadline),
            usage=self.usage.plus(spent),
            attempts=self._with(attempts),
        )

    def requeued(self, *, now: datetime, due_at: datetime, by_sweep: bool = False) -> Activation:
        """Made ready to be published again. An expired claim has used up its attempt."""
        self._must_be(WAITING, "requeued")
        return self._evolve(
            now,
            status="queued",
            claim_id=None,
            claimed_at=None,
            republished=(*self.republished, *([now] * by_sweep))[-MOST_KEPT:],
            not_before=None,
            due_at=min(due_at, self.deadline),
            attempts=self._with(self.interrupted("lease_expired", now)),
        )

    def completed(self, answer: Answer, *, now: datetime) -> Activation:
        """Ended with a step. The profile is dropped: nobody needs it any more."""
        self._must_be(WAITING, "completed")
        return self._evolve(
            now,
            status="completed",
            profile=None,
            not_before=None,
            due_at=None,
            step=StoredStep.model_validate(answer.step.model_dump()),
            source=answer.source,
            fallback_reason=answer.fallback_reason,
            model=answer.model,
            usage=self.usage.plus(answer.usage),
            attempts=self._with(answer.attempts),
        )

    def cancelled(self, *, now: datetime) -> Activation:
        """Ended without a step; cancelling twice changes nothing.

        Raises InvalidTransition when it is completed already, or in a state of a later release.
        """
        if self.status == "cancelled":
            return self
        self._must_be(WAITING, "cancelled")
        return self._evolve(
            now,
            status="cancelled",
            profile=None,
            not_before=None,
            due_at=None,
            attempts=self._with(self.interrupted("cancelled", now)),
        )

    def interrupted(self, ending: Ending, now: datetime) -> tuple[Attempt, ...]:
        """The claim that ends here without a word of its worker; none where nobody holds one."""
        if self.status != "processing":
            return ()
        # Nothing else is written while a claim is held, so the last write is the claim's.
        lasted = max(now - self.updated_at, timedelta()) // timedelta(milliseconds=1)
        return (Attempt(at=self.updated_at, outcome=ending, ms=lasted),)

    def _with(self, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
        return (*self.attempts, *attempts)[-MOST_KEPT:]

    def _evolve(self, now: datetime, **changes: Any) -> Activation:
        return self.model_copy(update={"updated_at": now, **changes})

    def _must_be(self, allowed: tuple[str, ...], wanted: str) -> None:
        if self.status not in allowed:
            raise InvalidTransition(f"a {self.status} activation can't be {wanted}")
