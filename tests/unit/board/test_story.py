"""One activation's story: what happened, why, and what comes next."""

from datetime import datetime, timedelta
from typing import get_args

import pytest

from shared.domain.activation import Activation, FallbackReason, Usage
from shared.domain.history import Attempt, Ending
from shared.domain.profile import Profile
from shared.ports import Stored
from tests.builders import LEASE, NOON, a_step, an_activation, an_answer
from worker.board.story import Story, story_of

CANARY = "kanariefågel-7391"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def claimed(activation: Activation, at: float, claim_id: str = "c1") -> Activation:
    return activation.claimed(claim_id=claim_id, now=after(at), lease=LEASE)


def paused(activation: Activation, at: float, until: float) -> Activation:
    attempt = Attempt(at=after(at - 1), outcome="quota", ms=400)
    return activation.released(
        now=after(at), not_before=after(until), spent=Usage(), attempts=(attempt,)
    )


def story(activation: Activation, *, read: float = 0) -> Story:
    stored = Stored(
        activation=activation, version="1", written_at=activation.updated_at, read_at=after(read)
    )
    return story_of(stored, lease=LEASE)


def whats(told: Story) -> list[str]:
    return [event.what for event in told.events]


# What happened


def test_a_good_one_was_submitted_claimed_and_answered() -> None:
    call = Attempt(at=after(1.1), model="fake", outcome="ok", ms=800)
    told = story(
        claimed(an_activation(), 1).completed(an_answer(attempts=(call,)), now=after(2)), read=60
    )
    assert [(event.what, event.more) for event in told.events] == [
        ("Submitted", "language sv, deadline 12:05:00 UTC"),
        ("A worker claimed it", "attempt 1, claim c1"),
        ("It ended with an answer", "fake, 800 ms"),
        ("Answered by Gemini", "fake"),
    ]


def test_the_end_comes_last_also_where_the_workers_clock_is_ahead_of_the_stores() -> None:
    call = Attempt(at=after(3), model="fake", outcome="ok", ms=5)
    told = story(claimed(an_activation(), 1).completed(an_answer(attempts=(call,)), now=after(2)))
    assert whats(told)[-2:] == ["It ended with an answer", "Answered by Gemini"]


def test_a_worker_that_fell_silent_and_the_sweep_that_mended_it_are_told_in_order() -> None:
    swept = claimed(an_activation(), 1).requeued(now=after(101), due_at=after(161), by_sweep=True)
    told = story(claimed(swept, 102, "c2").completed(an_answer(), now=after(103)), read=200)
    assert [(event.what, event.at, event.more) for event in told.events[1:]] == [
        ("The lease expired: the worker was killed or hung", after(1), "100.0 s"),
        ("The sweep published it again", after(101), "its worker had fallen silent"),
        ("A worker claimed it", after(102), "attempt 2, claim c2"),
        ("Answered by Gemini", after(103), "fake"),
    ]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (
            an_activation(),
            "no worker had taken it: it was not published at first, or not delivered",
        ),
        (claimed(an_activation(), 1), "its worker had fallen silent"),
        (paused(claimed(an_activation(), 1), 2, 39), "it had been given back"),
    ],
    ids=["never taken", "silent", "paused"],
)
def test_the_sweep_says_why_it_published_again(before: Activation, why: str) -> None:
    swept = before.requeued(now=after(100), due_at=after(160), by_sweep=True)
    (again,) = [event for event in story(swept).events if "sweep" in event.what]
    assert again.more == why


def test_a_cancelled_one_ends_with_its_user() -> None:
    told = story(claimed(an_activation(), 1).cancelled(now=after(3)))
    assert whats(told)[-1] == "The user cancelled it"
    assert "The claim ended because the user cancelled" in whats(told)


def test_a_fallback_says_why_in_plain_words() -> None:
    answer = an_answer(source="fallback", fallback_reason="quota", model=None)
    told = story(an_activation().completed(answer, now=after(9)))
    assert told.why == "Gemini answered 429, out of quota"
    assert (told.events[-1].what, told.events[-1].more) == (
        "Answered from the library",
        "quota: Gemini answered 429, out of quota",
    )


@pytest.mark.parametrize("outcome", ["ok", *get_args(FallbackReason), *get_args(Ending)])
def test_each_outcome_has_its_words(outcome: str) -> None:
    attempt = Attempt(at=NOON, outcome=outcome, ms=1)
    (told,) = story(an_activation().model_copy(update={"attempts": (attempt,)})).events[1:]
    assert "later release" not in told.what


def test_what_a_later_release_wrote_is_told_as_such() -> None:
    attempt = Attempt(at=NOON, outcome="coffee", ms=1)
    done = an_activation().completed(an_answer(attempts=(attempt,)), now=after(2))
    later = done.model_copy(update={"source": "coach", "fallback_reason": "holiday"})
    assert whats(story(later))[1:] == [
        "coffee, which a later release wrote",
        "Answered by coach",
    ]


def test_an_end_of_a_later_release_is_told_by_its_status() -> None:
    done = an_activation().completed(an_answer(), now=after(2))
    told = story(done.model_copy(update={"status": "archived"}))
    assert (whats(told)[-1], told.next) == (
        "It became archived",
        "It is archived, and changes no more.",
    )


# The deadline


@pytest.mark.parametrize(("answered", "seconds"), [(2, 298), (312.04, -12.0)])
def test_an_answered_one_kept_or_missed_its_deadline_by(answered: float, seconds: float) -> None:
    told = story(an_activation().completed(an_answer(), now=after(answered)), read=900)
    assert told.seconds_before_deadline == seconds


@pytest.mark.parametrize(("read", "seconds"), [(100, 200), (320, -20)])
def test_a_waiting_one_has_so_long_left(read: float, seconds: float) -> None:
    assert story(an_activation(), read=read).seconds_before_deadline == seconds


def test_a_cancelled_one_has_no_deadline_to_keep() -> None:
    assert story(an_activation().cancelled(now=after(3))).seconds_before_deadline is None


# What comes next


@pytest.mark.parametrize(
    ("activation", "read", "sentence"),
    [
        (
            an_activation(),
            1,
            "It is queued, and waits for a worker. "
            "If it has no answer at 12:00:45 UTC, the next sweep publishes it again.",
        ),
        (
            an_activation(),
            50,
            "It is queued, and waits for a worker. It is due: the next sweep publishes it again.",
        ),
        (
            claimed(an_activation(), 1),
            2,
            "A worker is at it; its lease ends at 12:01:31 UTC. "
            "If it has no answer at 12:01:41 UTC, the next sweep publishes it again.",
        ),
        (
            claimed(an_activation(), 1),
            95,
            "Its worker has fallen silent: the lease ended at 12:01:31 UTC. "
            "If it has no answer at 12:01:41 UTC, the next sweep publishes it again.",
        ),
        (
            paused(claimed(an_activation(), 1), 2, 39),
            3,
            "Gemini asked for a pause until 12:00:39 UTC (quota). "
            "If it has no answer at 12:00:39 UTC, the next sweep publishes it again.",
        ),
        (
            claimed(an_activation(), 280),
            281,
            "A worker is at it; its lease ends at 12:06:10 UTC. If it has no answer at "
            "12:05:00 UTC, its deadline, the next sweep answers it from the library.",
        ),
        (an_activation(), 301, "Its deadline is over: the next sweep answers it from the library."),
        (
            an_activation().completed(an_answer(), now=after(2)),
            3,
            "It is completed, and changes no more.",
        ),
        (
            an_activation().model_copy(update={"status": "paused"}),
            3,
            "A later release wrote this status; only that release knows what comes next.",
        ),
    ],
    ids=[
        *("queued", "due", "held", "silent", "paused", "near the deadline", "past it"),
        *("completed", "of a later release"),
    ],
)
def test_it_says_what_happens_next_and_when(
    activation: Activation, read: float, sentence: str
) -> None:
    assert story(activation, read=read).next == sentence


def test_only_a_held_one_has_a_lease() -> None:
    assert story(claimed(an_activation(), 1)).lease_until == after(1) + LEASE
    assert story(an_activation()).lease_until is None


# What it never tells


@pytest.mark.parametrize("done", [False, True])
def test_nothing_that_a_user_wrote_or_got_is_told(done: bool) -> None:
    activation = an_activation(goal=CANARY, user_id=CANARY, profile=Profile(focus_area=CANARY))
    if done:
        answer = an_answer(step=a_step(title=CANARY, prompt=CANARY))
        activation = activation.completed(answer, now=after(2))
    told = story(activation)
    assert CANARY not in told.model_dump_json()
    assert not {"mood", "goal", "profile", "step", "user_id"} & Story.model_fields.keys()
