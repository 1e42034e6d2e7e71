"""The life of an activation: what each transition changes, and which ones there are not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.activation import REPUBLISH_AFTER, SWEEP_GRACE, Activation, Usage
from shared.domain.history import Attempt
from shared.domain.profile import NeuroTendencies, PersonalityType, Profile, WellbeingFlags
from shared.domain.step import StoredStep
from shared.errors import InvalidTransition
from tests.builders import LEASE, NOON, PAUSED, a_step, an_activation, an_answer

LATER = NOON + timedelta(seconds=7)
PAUSED_UNTIL = NOON + timedelta(seconds=60)
SPENT = Usage(gemini_calls=1, prompt_tokens=10, output_tokens=20, gemini_ms=30)
PROFILE = Profile(focus_area="sömn")

Transition = Callable[[Activation], Activation]


def claim(activation: Activation, claim_id: str = "c1") -> Activation:
    return activation.claimed(claim_id=claim_id, now=LATER, lease=LEASE)


def release(activation: Activation) -> Activation:
    return activation.released(now=LATER, not_before=PAUSED_UNTIL, spent=SPENT, attempts=(PAUSED,))


def requeue(activation: Activation) -> Activation:
    return activation.requeued(now=LATER, due_at=PAUSED_UNTIL)


def complete(activation: Activation) -> Activation:
    return activation.completed(an_answer(usage=SPENT), now=LATER)


def cancel(activation: Activation) -> Activation:
    return activation.cancelled(now=LATER)


def queued() -> Activation:
    return an_activation(profile=PROFILE)


def processing() -> Activation:
    return claim(queued())


def completed() -> Activation:
    return complete(processing())


def cancelled() -> Activation:
    return cancel(queued())


# Accepted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "queued"),
        ("attempt", 0),
        ("claim_id", None),
        ("not_before", None),
        ("created_at", NOON),
        ("updated_at", NOON),
        ("deadline", NOON + timedelta(seconds=300)),
        ("expires_at", NOON + timedelta(days=30)),
        ("due_at", NOON + timedelta(seconds=45)),
        ("step", None),
        ("source", None),
        ("fallback_reason", None),
        ("model", None),
        ("usage", Usage()),
        ("profile", PROFILE),
    ],
)
def test_an_accepted_activation_starts_with(field: str, value: object) -> None:
    assert getattr(queued(), field) == value


def test_a_lost_publish_is_looked_at_within_a_minute_by_a_sweep_each_15_s() -> None:
    assert timedelta(seconds=15) + REPUBLISH_AFTER <= timedelta(seconds=60)


@pytest.mark.parametrize(
    "field", ["created_at", "updated_at", "deadline", "expires_at", "due_at", "not_before"]
)
def test_a_time_without_a_zone_is_refused(field: str) -> None:
    fields = {**queued().model_dump(), field: datetime(2026, 11, 23)}
    with pytest.raises(ValidationError, match=field):
        Activation.model_validate(fields)


# Claimed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "processing"),
        ("attempt", 1),
        ("claim_id", "c1"),
        ("not_before", None),
        ("updated_at", LATER),
        ("due_at", LATER + LEASE + SWEEP_GRACE),
        ("profile", PROFILE),
    ],
)
def test_a_claim_sets(field: str, value: object) -> None:
    assert getattr(claim(queued()), field) == value


def test_a_claim_ends_the_pause_of_a_release() -> None:
    assert claim(release(processing())).not_before is None


def test_an_expired_claim_is_taken_over_with_another_attempt() -> None:
    taken_over = claim(processing(), "c2")
    assert (taken_over.attempt, taken_over.claim_id) == (2, "c2")


# Released


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "queued"),
        ("attempt", 0),
        ("claim_id", None),
        ("not_before", PAUSED_UNTIL),
        ("due_at", PAUSED_UNTIL),
        ("updated_at", LATER),
        ("usage", SPENT),
        ("profile", PROFILE),
    ],
)
def test_a_release_sets(field: str, value: object) -> None:
    assert getattr(release(processing()), field) == value


def test_a_release_gives_back_its_own_attempt_alone() -> None:
    assert release(claim(processing(), "c2")).attempt == 1


def test_what_every_release_has_spent_adds_up() -> None:
    assert release(claim(release(processing()))).usage == SPENT.plus(SPENT)


# Requeued


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "queued"),
        ("attempt", 1),
        ("claim_id", None),
        ("not_before", None),
        ("due_at", PAUSED_UNTIL),
        ("updated_at", LATER),
        ("profile", PROFILE),
    ],
)
def test_requeuing_an_expired_claim_sets(field: str, value: object) -> None:
    assert getattr(requeue(processing()), field) == value


def test_requeuing_what_was_never_claimed_uses_no_attempt() -> None:
    assert requeue(queued()).attempt == 0


def test_requeuing_ends_the_pause_of_a_release() -> None:
    assert requeue(release(processing())).not_before is None


# Completed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "completed"),
        ("profile", None),
        ("due_at", None),
        ("not_before", None),
        ("updated_at", LATER),
        ("step", StoredStep.model_validate(a_step().model_dump())),
        ("source", "gemini"),
        ("fallback_reason", None),
        ("model", "fake"),
        ("usage", SPENT),
        ("attempt", 1),
        ("claim_id", "c1"),
    ],
)
def test_completion_sets(field: str, value: object) -> None:
    assert getattr(complete(processing()), field) == value


def test_completion_adds_its_usage_to_what_releases_have_spent() -> None:
    assert complete(claim(release(processing()))).usage == SPENT.plus(SPENT)


def test_a_fallback_says_why() -> None:
    answer = an_answer(source="fallback", fallback_reason="quota", model=None)
    done = processing().completed(answer, now=LATER)
    assert (done.source, done.fallback_reason, done.model) == ("fallback", "quota", None)


def test_what_waits_in_the_queue_can_be_completed_for_a_dead_letter() -> None:
    assert complete(queued()).status == "completed"


# Cancelled


@pytest.mark.parametrize("start", [queued, processing])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "cancelled"),
        ("profile", None),
        ("due_at", None),
        ("not_before", None),
        ("step", None),
        ("updated_at", LATER),
    ],
)
def test_cancelling_sets(start: Callable[[], Activation], field: str, value: object) -> None:
    assert getattr(cancel(start()), field) == value


def test_cancelling_twice_changes_nothing() -> None:
    once = cancelled()
    assert once.cancelled(now=LATER + timedelta(hours=1)) == once


# The history


def held_until(end: Callable[[Activation], Activation]) -> list[tuple[str, datetime, int]]:
    """What a claim of LATER left behind when `end` took the activation from its worker."""
    return [(one.outcome, one.at, one.ms) for one in end(processing()).attempts]


MUCH_LATER = LATER + timedelta(seconds=90)


def test_a_claim_that_is_taken_over_is_kept_as_an_expired_lease() -> None:
    assert held_until(lambda held: held.claimed(claim_id="c2", now=MUCH_LATER, lease=LEASE)) == [
        ("lease_expired", LATER, 90_000)
    ]


def test_a_claim_that_the_sweep_fences_off_is_kept_as_an_expired_lease() -> None:
    assert held_until(lambda held: held.requeued(now=MUCH_LATER, due_at=MUCH_LATER)) == [
        ("lease_expired", LATER, 90_000)
    ]


def test_a_claim_that_the_user_cancels_is_kept() -> None:
    assert held_until(lambda held: held.cancelled(now=MUCH_LATER)) == [("cancelled", LATER, 90_000)]


def test_the_clocks_of_two_machines_make_no_negative_time() -> None:
    assert held_until(lambda held: held.cancelled(now=NOON)) == [("cancelled", LATER, 0)]


@pytest.mark.parametrize("transition", [claim, requeue, cancel])
def test_where_nobody_holds_a_claim_none_ends(transition: Transition) -> None:
    assert transition(queued()).attempts == ()


def test_the_history_keeps_the_latest_sixteen() -> None:
    activation = queued()
    for number in range(20):
        activation = claim(activation, f"c{number}")
    assert len(activation.attempts) == 16


@pytest.mark.parametrize("transition", [release, requeue])
def test_the_time_of_a_claim_goes_with_it(transition: Transition) -> None:
    assert processing().claimed_at == LATER
    assert transition(processing()).claimed_at is None


def test_who_answered_held_the_last_claim() -> None:
    assert (completed().claim_id, completed().claimed_at) == ("c1", LATER)


def test_what_the_sweep_publishes_again_is_kept_with_its_time() -> None:
    swept = queued().requeued(now=LATER, due_at=PAUSED_UNTIL, by_sweep=True)
    assert swept.republished == (LATER,)
    assert requeue(swept).republished == (LATER,)


# What every transition keeps, and those that there are not


@pytest.mark.parametrize("transition", [release, requeue, complete, cancel, claim])
@pytest.mark.parametrize(
    "field",
    [
        "activation_id",
        "user_id",
        "mood",
        "goal",
        "language",
        "created_at",
        "deadline",
        "expires_at",
    ],
)
def test_no_transition_changes_what_was_accepted(transition: Transition, field: str) -> None:
    assert getattr(transition(processing()), field) == getattr(queued(), field)


@pytest.mark.parametrize("transition", [release, requeue, complete, cancel, claim])
def test_a_transition_leaves_the_value_that_it_starts_from_alone(transition: Transition) -> None:
    start = processing()
    transition(start)
    assert start == processing()


@pytest.mark.parametrize(
    ("start", "transition"),
    [
        (queued, release),
        (completed, claim),
        (completed, release),
        (completed, requeue),
        (completed, complete),
        (completed, cancel),
        (cancelled, claim),
        (cancelled, release),
        (cancelled, requeue),
        (cancelled, complete),
    ],
)
def test_an_invalid_transition_is_refused(
    start: Callable[[], Activation], transition: Transition
) -> None:
    with pytest.raises(InvalidTransition, match=start().status):
        transition(start())


@pytest.mark.parametrize(
    ("start", "done"),
    [(queued, False), (processing, False), (completed, True), (cancelled, True)],
)
def test_done_is_true_in_terminal_states_alone(start: Callable[[], Activation], done: bool) -> None:
    assert start().done is done


@pytest.mark.parametrize("value", [queued(), Usage(), PROFILE, an_answer(), a_step()])
def test_values_are_frozen(value: Any) -> None:
    field = next(iter(type(value).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, field, None)


@pytest.mark.parametrize("field", ["gemini_calls", "prompt_tokens", "output_tokens", "gemini_ms"])
def test_usage_adds_up_field_by_field(field: str) -> None:
    one, two = Usage(**{field: 3}), Usage(**{field: 4})
    assert one.plus(two) == Usage(**{field: 7})


# As JSON


@pytest.mark.parametrize("start", [queued, processing, completed, cancelled])
def test_survives_json(start: Callable[[], Activation]) -> None:
    activation = start()
    assert Activation.model_validate_json(activation.model_dump_json()) == activation


def test_survives_json_without_what_is_none() -> None:
    activation = release(processing())
    written = activation.model_dump_json(exclude_none=True)
    assert Activation.model_validate_json(written) == activation


@pytest.mark.parametrize("value", [True, False, 0, 1, 7, -2.5, 1.0, "hög", None])
def test_a_profile_value_keeps_its_type_through_json(value: object) -> None:
    profile = Profile(neuro_tendencies=NeuroTendencies(adhd_score=value))
    again = Profile.model_validate_json(profile.model_dump_json())
    assert again.neuro_tendencies is not None
    assert type(again.neuro_tendencies.adhd_score) is type(value)
    assert again == profile


def test_a_full_profile_survives_json() -> None:
    profile = Profile(
        focus_area="sömn",
        personality_type=PersonalityType(traits=("lugn", "nyfiken")),
        neuro_tendencies=NeuroTendencies(adhd_score=0.5),
        wellbeing_flags=WellbeingFlags(suicide_risk=False, depression_risk="low"),
    )
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


# Of a later release


def test_a_field_of_a_later_release_is_ignored() -> None:
    fields = {**queued().model_dump(), "added_next_year": 1}
    assert Activation.model_validate(fields) == queued()


def in_a_later_status(start: Callable[[], Activation]) -> Activation:
    return start().model_copy(update={"status": "paused"})


@pytest.mark.parametrize(("start", "done"), [(queued, False), (completed, True)])
def test_in_a_status_of_a_later_release_due_at_tells_whether_it_is_done(
    start: Callable[[], Activation], done: bool
) -> None:
    assert in_a_later_status(start).done is done


@pytest.mark.parametrize("transition", [claim, release, requeue, complete, cancel])
def test_nothing_leads_out_of_a_status_of_a_later_release(transition: Transition) -> None:
    with pytest.raises(InvalidTransition, match="paused"):
        transition(in_a_later_status(queued))


@pytest.mark.parametrize("mood", [0, 6, 7, "x"])
def test_a_mood_that_nobody_can_have_is_refused(mood: object) -> None:
    with pytest.raises(ValidationError, match="mood"):
        Activation.model_validate({**queued().model_dump(), "mood": mood})


# The history


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ("", None),
        ("quota", "quota"),
        ("timeout unavailable", "unavailable"),
        ("quota unavailable unavailable", "quota"),  # the second model failed as well
        ("quota shutdown", None),
        ("quota shutdown timeout", "timeout"),
        ("tired", None),  # of a later release
    ],
)
def test_the_reason_of_a_pause_is_the_quota_or_what_came_last(
    outcomes: str, reason: str | None
) -> None:
    attempts = [Attempt(at=NOON, outcome=outcome, ms=1) for outcome in outcomes.split()]
    paused = processing().released(
        now=LATER, not_before=PAUSED_UNTIL, spent=SPENT, attempts=tuple(attempts)
    )
    assert paused.paused_for == reason


def test_the_history_keeps_the_latest_sixteen_calls() -> None:
    calls = tuple(Attempt(at=NOON, outcome="ok", ms=number) for number in range(20))
    done = processing().completed(an_answer(attempts=calls), now=LATER)
    assert [call.ms for call in done.attempts] == list(range(4, 20))
