"""What the board calls wrong, and in which order."""

from typing import get_args

import pytest

from shared.domain.activation import FallbackReason
from tests.unit.board.boards import answered, board, waiting
from worker.board.alerts import _ADVICE, ENOUGH_ANSWERS, alerts
from worker.board.figures import Board
from worker.gemini.port import Health


def references(shown: Board) -> list[str]:
    return [alert.reference for alert in alerts(shown)]


def breakers(**states: str) -> Health:
    return Health(key="ok", breakers=states)


def failing(fallbacks: int, of: int, reason: FallbackReason = "quota") -> Board:
    good = [answered() for _ in range(of - fallbacks)]
    return board(*good, *(answered("fallback", reason) for _ in range(fallbacks)))


def test_a_good_day_has_none() -> None:
    assert alerts(board(answered(), waiting(age=299))) == ()


def test_who_waits_too_long_is_named_by_the_oldest() -> None:
    oldest = waiting(age=400)
    (alert,) = alerts(board(waiting(age=301), oldest, waiting(age=1)))
    assert alert.activation_id == oldest.activation_id


def test_an_empty_day_has_none() -> None:
    assert alerts(board()) == ()


def test_the_worst_comes_first() -> None:
    fallbacks = [answered("fallback", "quota") for _ in range(9)]
    shown = board(waiting(age=301), *fallbacks, health=breakers(m="open"), dead_letters=1)
    assert references(shown) == [
        "waiting-too-long",
        "circuit-breaker",
        "dead-letters",
        "fallbacks",
    ]
    assert [alert.level for alert in alerts(shown)] == ["bad", "bad", "bad", "warning"]


@pytest.mark.parametrize(
    ("count", "what"),
    [(1, "1 dead letter"), (2, "2 dead letters"), (1000, "1,000 or more dead letters")],
)
def test_one_dead_letter_is_enough(count: int, what: str) -> None:
    (alert,) = alerts(board(dead_letters=count))
    assert (alert.level, alert.what) == ("bad", what)


def test_a_fifth_of_fallbacks_is_no_alert_and_more_is() -> None:
    assert references(failing(2, of=10)) == []
    assert references(failing(3, of=10)) == ["fallbacks"]


def test_of_few_answers_a_share_says_nothing() -> None:
    assert references(failing(ENOUGH_ANSWERS - 1, of=ENOUGH_ANSWERS - 1)) == []


@pytest.mark.parametrize("reason", get_args(FallbackReason))
def test_each_reason_has_its_advice(reason: FallbackReason) -> None:
    (alert,) = alerts(failing(9, of=9, reason=reason))
    assert _ADVICE[reason] in alert.advice


def test_a_reason_of_a_later_release_is_named() -> None:
    later = answered("fallback").model_copy(update={"fallback_reason": "holiday"})
    (alert,) = alerts(board(*[later] * ENOUGH_ANSWERS))
    assert "Mostly holiday" in alert.advice


def test_without_a_key_the_library_is_meant_to_answer() -> None:
    fallbacks = [answered("fallback", "no_api_key") for _ in range(9)]
    (alert,) = alerts(board(*fallbacks, health=Health(key="none")))
    assert (alert.level, alert.reference) == ("notice", "no-gemini-key")


def test_a_half_open_breaker_is_a_warning() -> None:
    (alert,) = alerts(board(health=breakers(m="half_open")))
    assert alert.level == "warning"


def test_of_two_breakers_the_one_that_is_open_is_named() -> None:
    (alert,) = alerts(board(health=breakers(m="closed", lite="open")))
    assert alert.what == "The circuit breaker of lite is open"


def test_a_refused_key_is_an_alert_of_its_own() -> None:
    (alert,) = alerts(board(health=Health(key="refused", breakers={"m": "closed"})))
    assert (alert.level, alert.what) == ("bad", "Gemini refused the key")
    assert alert.reference == "key-refused"
