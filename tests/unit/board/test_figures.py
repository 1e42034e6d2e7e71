"""The board as a value: what is counted, and as what."""

from datetime import datetime, timedelta, timezone

import pytest

from shared.domain.activation import Usage
from tests.builders import LEASE, NOON, PAUSED
from tests.unit.board.boards import MIDNIGHT, SPENT, answered, board, waiting
from worker.board.figures import midnight_before


def test_an_empty_day_is_all_zeros_and_no_times() -> None:
    empty = board()
    assert (empty.accepted, empty.since, empty.cut) == (0, MIDNIGHT, False)
    assert (empty.waiting.count, empty.waiting.oldest_seconds) == (0, None)
    assert (empty.latency.p50, empty.bill.usd, empty.bill.models) == (None, 0.0, ())
    assert (empty.lately.share, empty.lately.reason) == (0.0, None)


def test_states_are_counted() -> None:
    claimed = waiting().claimed(claim_id="c", now=NOON, lease=LEASE)
    cancelled = waiting().cancelled(now=NOON)
    found = board(waiting(), waiting(), claimed, cancelled, answered())
    assert found.states == {"queued": 2, "processing": 1, "cancelled": 1, "completed": 1}
    assert found.accepted == 5


def test_what_a_later_release_has_written_is_counted_under_its_name() -> None:
    paused = waiting().model_copy(update={"status": "paused"})
    later = answered().model_copy(update={"source": "coach", "fallback_reason": "holiday"})
    found = board(paused, later)
    assert found.states == {"paused": 1, "completed": 1}
    assert (found.sources, found.reasons) == ({"coach": 1}, {"holiday": 1})
    assert found.waiting.count == 0


def test_answers_are_counted_by_source_and_fallbacks_by_reason() -> None:
    found = board(
        *(answered(), answered(), answered("safety")),
        *(answered("fallback", "quota"), answered("fallback", "quota")),
        answered("fallback", "timeout"),
    )
    assert found.sources == {"gemini": 2, "fallback": 3, "safety": 1}
    assert found.reasons == {"quota": 2, "timeout": 1}


def test_the_time_to_answer_is_from_acceptance_to_the_last_write() -> None:
    assert board(answered(took=7.5)).latency.p50 == 7.5


def test_clocks_that_disagree_make_no_time_below_zero() -> None:
    assert board(answered(took=-0.2)).latency.p50 == 0.0
    assert board(waiting(age=-3)).waiting.oldest_seconds == 0.0


def test_the_oldest_that_waits_is_told() -> None:
    found = board(waiting(age=5), waiting(age=40), answered(age=900))
    assert (found.waiting.count, found.waiting.oldest_seconds) == (2, 40)


def test_what_is_overdue_since_yesterday_waits_too_and_is_not_of_today() -> None:
    yesterday = waiting(age=20 * 3600)
    found = board(waiting(), overdue=[yesterday])
    assert (found.accepted, found.waiting.count) == (1, 2)
    assert found.waiting.oldest_seconds == 20 * 3600


def test_what_is_both_of_today_and_overdue_waits_once() -> None:
    stuck = waiting(age=400)
    assert board(stuck, overdue=[stuck]).waiting.count == 1


def test_a_reading_that_was_cut_says_since_when_it_counts() -> None:
    newest, oldest = answered(age=10), answered(age=600)
    assert board(newest, oldest, cut=True).since == oldest.created_at


def test_calls_and_tokens_add_up_whatever_became_of_them() -> None:
    released = waiting().claimed(claim_id="c", now=NOON, lease=LEASE)
    released = released.released(now=NOON, not_before=NOON, spent=SPENT, attempts=(PAUSED,))
    found = board(released, answered(), answered("fallback", "invalid_output", model=None))
    assert found.bill.usage == SPENT.plus(SPENT).plus(SPENT)


def test_the_cost_is_by_the_table_of_prices() -> None:
    assert board(answered(), answered()).bill.usd == pytest.approx(2 * (2.0 + 1.0))


def test_what_names_no_model_was_asked_of_the_one_that_calls_go_to() -> None:
    found = board(answered("fallback", "invalid_output", model=None))
    assert found.bill.usd == pytest.approx(3.0)
    assert found.bill.models == ("latest",)


def test_a_model_without_a_price_makes_the_cost_unknown_and_not_zero() -> None:
    found = board(answered(), answered(model="new"))
    assert (found.bill.usd, found.bill.models) == (None, ("m", "new"))


def test_what_asked_nothing_names_no_model_and_costs_nothing() -> None:
    found = board(answered("safety", usage=Usage(), model=None))
    assert (found.bill.usd, found.bill.models) == (0.0, ())


def test_the_share_of_fallbacks_is_of_the_last_hours_answers() -> None:
    found = board(
        *(answered(), answered("fallback", "quota"), answered("fallback", "quota")),
        answered("fallback", "timeout"),
        *(answered("fallback", "deadline", age=2 * 3600) for _ in range(9)),
    )
    assert (found.lately.answers, found.lately.share, found.lately.reason) == (4, 0.75, "quota")


@pytest.mark.parametrize("hours", [-10, -1, 0, 1, 2, 14])
def test_today_begins_at_midnight_utc_wherever_the_clock_is_read(hours: int) -> None:
    there = timezone(timedelta(hours=hours))
    now = datetime(2026, 11, 24, 3, 4, 10, tzinfo=timezone.utc).astimezone(there)
    utc_midnight = datetime(2026, 11, 24, tzinfo=timezone.utc)
    assert midnight_before(now.astimezone(timezone.utc)) == utc_midnight


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_the_days_on_which_swedish_clocks_change_have_24_hours(day: tuple[int, int, int]) -> None:
    last = datetime(*day, 23, 59, 59, tzinfo=timezone.utc)
    assert last - midnight_before(last) == timedelta(hours=23, minutes=59, seconds=59)
