"""Each count of the audit becomes 1 when its defect is planted in a history that has none."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.campaign.auditor import audit, latest_moment
from tests.chaos.campaign.history import History, Window, WorkerEnd
from tests.unit.chaos.histories import (
    MARKER,
    OTHER,
    SWEPT,
    a_call,
    a_line,
    a_promise,
    an_ending,
    an_erasure,
    counts,
    history,
    stored,
)

Plant = Callable[[History], None]


def holding(**changes: Any) -> Plant:
    return lambda history: history.stored.update(a1=stored(**changes))


def not_stored(history: History) -> None:
    history.stored.clear()


def late(seconds: float) -> Plant:
    return holding(updated=60.0 + SWEPT + seconds, source="fallback", reason="deadline", step="")


def changed(history: History) -> None:
    history.endings.append(an_ending(updated_ms=4000))


def erased_and_there(history: History) -> None:
    history.erasures.append(an_erasure())


def two_for_a_key(history: History) -> None:
    history.keyed("key", "a2")


def paid_twice(history: History) -> None:
    history.calls.append(a_call(started=10.0, ended=10.5))
    history.ledger.append(a_line(at=11.0, fate="dropped"))


def in_no_line(history: History) -> None:
    history.ledger.clear()


def shown_to_another(history: History) -> None:
    history.mixed_up.append("a1 was shown to bo")


def a_500(history: History) -> None:
    history.answered("poll", 500)


def a_traceback(history: History) -> None:
    history.tracebacks.append("worker.log:3 ValueError")


def a_process(history: History) -> None:
    history.left_behind.append("4711 python")


PLANTED: list[tuple[str, Plant]] = [
    ("lost", not_stored),
    ("lost", holding(status="processing", done=False)),
    ("stuck past deadline + sweep", late(1)),
    ("changed after the end", changed),
    ("came back after erasing", erased_and_there),
    ("one key, several activations", two_for_a_key),
    ("double-paid beyond interruptions", paid_twice),
    ("uncounted calls", in_no_line),
    ("answered to the wrong user", shown_to_another),
    ("answered to the wrong user", holding(step=f"Steg {OTHER}")),
    ("answered to the wrong user", holding(user="bo")),
    ("5xx other than 503 and 504", a_500),
    ("tracebacks", a_traceback),
    ("processes left", a_process),
]


def test_a_history_in_which_every_promise_was_kept_counts_nothing() -> None:
    assert counts(history()) == {}


@pytest.mark.parametrize(("name", "plant"), PLANTED)
def test_a_planted_defect_is_counted_and_nothing_else(name: str, plant: Plant) -> None:
    planted = history()
    plant(planted)
    assert counts(planted) == {name: 1}


def test_every_count_has_a_planted_defect() -> None:
    assert set(audit(history())) == {name for name, _ in PLANTED}


@pytest.mark.parametrize("status", [503, 504, 404, None])
def test_answers_that_a_client_has_to_live_with_are_not_counted(status: int | None) -> None:
    lived = history()
    lived.answered("poll", status)
    assert counts(lived) == {}


def test_what_its_client_has_erased_is_not_lost() -> None:
    erased = history()
    erased.stored.clear()
    erased.erasures.append(an_erasure())
    assert counts(erased) == {}


def test_an_erasure_without_an_answer_may_have_happened_or_not() -> None:
    unsure = history()
    unsure.erasures.append(an_erasure(confirmed=False))
    assert counts(unsure) == {}
    unsure.stored.clear()
    assert counts(unsure) == {}


def test_another_users_erasure_explains_nothing() -> None:
    lost = history()
    lost.stored.clear()
    lost.erasures.append(an_erasure(user="bo", activation_id=None))
    assert counts(lost) == {"lost": 1}


def test_a_request_that_may_still_be_on_its_way_may_create_it_again() -> None:
    again = history()
    again.promises = [a_promise(surely_sent_once=False)]
    again.erasures.append(an_erasure())
    assert counts(again) == {}


CUT_OFF: list[tuple[str, Plant]] = [
    (
        "the worker was stopped meanwhile",
        lambda h: h.windows.append(Window(what="stop worker", start=2.0, end=9.0)),
    ),
    (
        "the store was away",
        lambda h: h.windows.append(Window(what="lock database", start=2.0, end=9.0)),
    ),
    (
        "the answer was held up on its way",
        lambda h: h.windows.append(Window(what="proxy gemini cut", start=2.0, end=9.0)),
    ),
    (
        "the worker was told to end",
        lambda h: h.worker_ends.append(WorkerEnd(worker="worker", asked_at=2.2, at=9.0)),
    ),
]


@pytest.mark.parametrize(("why", "plant"), CUT_OFF)
def test_a_call_that_was_cut_off_may_be_paid_once_more(why: str, plant: Plant) -> None:
    twice = history()
    twice.calls = [a_call(), a_call(started=10.0, ended=10.5)]
    twice.ledger = [a_line(fate="dropped"), a_line(at=11.0)]
    assert counts(twice) == {"double-paid beyond interruptions": 1}
    plant(twice)
    assert counts(twice) == {}, why


def test_another_workers_end_cuts_nothing_off() -> None:
    twice = history()
    twice.calls = [a_call(), a_call(started=10.0, ended=10.5)]
    twice.ledger = [a_line(fate="dropped"), a_line(at=11.0)]
    twice.worker_ends = [WorkerEnd(worker="second worker", asked_at=2.2, at=9.0)]
    assert counts(twice) == {"double-paid beyond interruptions": 1}


def test_a_call_whose_worker_was_killed_is_in_no_line_and_may_be_paid_once_more() -> None:
    killed = history()
    killed.calls = [a_call(), a_call(started=10.0, ended=10.5)]
    killed.ledger = [a_line(at=11.0)]
    killed.worker_ends = [WorkerEnd(worker="worker", asked_at=2.7, at=2.7)]
    assert counts(killed) == {}


def test_a_call_that_began_after_the_kill_has_to_be_in_a_line() -> None:
    killed = history()
    killed.ledger.clear()
    killed.worker_ends = [WorkerEnd(worker="worker", asked_at=1.0, at=1.5)]
    assert counts(killed) == {"uncounted calls": 1}


def test_one_line_does_not_stand_for_more_calls_than_it_says() -> None:
    more = history()
    more.calls = [a_call(kind="error 503", paid=False), a_call(started=2.6, ended=2.8)]
    assert counts(more) == {"uncounted calls": 1}


def test_a_calls_line_may_come_from_a_retry_of_the_same_claim() -> None:
    retried = history()
    retried.calls = [a_call(kind="error 503", paid=False), a_call(started=2.6, ended=2.8)]
    retried.ledger = [a_line(calls=2)]
    assert counts(retried) == {}


def outage(start: float, end: float) -> Window:
    return Window(what="kill worker", start=start, end=end, excuses=True)


def test_without_an_outage_the_latest_moment_is_one_sweep_after_the_deadline() -> None:
    assert latest_moment(60.0, [outage(10, 20), outage(200, 210)]) == 60.0 + SWEPT


def test_an_outage_excuses_until_one_undisturbed_sweep_later() -> None:
    assert latest_moment(60.0, [outage(55, 62)]) == 62.0 + SWEPT
    assert latest_moment(60.0, [outage(70, 75), outage(80, 90)]) == 90.0 + SWEPT


def test_a_fault_that_does_not_excuse_leaves_it_stuck() -> None:
    stuck = history()
    late(1)(stuck)
    stuck.windows.append(dataclasses.replace(outage(59, 62), excuses=False))
    assert counts(stuck) == {"stuck past deadline + sweep": 1}
    stuck.windows.append(outage(59, 62))
    assert counts(stuck) == {}


def made_twice(history: History) -> None:
    """Two requests with one key; what the first has made is paid for twice, with two endings."""
    history.promises = [a_promise(sent_at=0.0, answered_at=9.0)]
    history.calls.append(a_call(started=7.0, ended=7.5))
    history.ledger.append(a_line(at=8.0))
    history.endings.append(an_ending(updated_ms=8000))


def test_what_was_erased_between_two_requests_with_one_key_is_made_again() -> None:
    twice = history()
    made_twice(twice)
    twice.erasures.append(an_erasure(activation_id=None, sent_at=5.0, answered_at=6.0))
    assert counts(twice) == {}


def test_an_erasure_that_came_later_does_not_explain_that_it_was_made_twice() -> None:
    twice = history()
    made_twice(twice)
    twice.erasures.append(an_erasure(activation_id=None, sent_at=20.0, answered_at=21.0))
    twice.stored.clear()
    assert counts(twice) == {"changed after the end": 1, "double-paid beyond interruptions": 1}


def test_an_import_of_the_store_during_a_claim_loses_that_claim() -> None:
    twice = history()
    twice.calls = [a_call(), a_call(started=100.0, ended=100.5)]
    twice.ledger = [a_line(fate="dropped"), a_line(at=101.0)]
    twice.windows = [Window(what="restart firestore", start=50.0, end=55.0)]
    assert counts(twice) == {"double-paid beyond interruptions": 1}
    twice.windows = [Window(what="restart firestore", start=0.0, end=1.5)]
    assert counts(twice) == {}


def test_a_call_for_an_id_that_only_the_queue_has_shown_is_judged_like_any_other() -> None:
    unanswered = history()
    unanswered.promises, unanswered.stored, unanswered.ids_of_key = [], {}, {}
    assert counts(unanswered) == {}
    unanswered.marker_of["a1"] = MARKER
    assert counts(unanswered) == {}
    unanswered.ledger.clear()
    assert counts(unanswered) == {"uncounted calls": 1}
