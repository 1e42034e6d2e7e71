"""The drawing's geometry, the numbers as they are read, and the page as a pure function."""

import pytest

from shared.domain.activation import Source
from tests.unit.board.boards import answered, board, waiting
from worker.board.latency import EDGES, latency_of
from worker.board.page import BoardPage
from worker.board.page.drawing import (
    FLOOR,
    KINDS_OF_SOURCE,
    LEAST_HEIGHT,
    TOP,
    columns,
    percentile_marks,
    place,
    segments,
)
from worker.board.page.spoken import duration, kept, usd
from worker.gemini.port import Health


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.0, "0 ms"),
        (0.0234, "23 ms"),
        (0.9996, "1 s"),
        (2.34, "2.3 s"),
        (9.0, "9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (119.6, "2 min"),
        (301, "5 min"),
        (7_170, "2 h"),
        (72_000, "20 h"),
    ],
)
def test_a_duration_is_read_at_a_glance(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "?"), (0.0, "$0.00"), (0.00318, "$0.0032"), (1234.5, "$1,234.50")]
)
def test_a_cost_shows_what_one_activation_costs(value: float | None, said: str) -> None:
    assert usd(value) == said


@pytest.mark.parametrize(
    ("seconds", "done", "said"),
    [
        (298, True, "kept by 5 min"),
        (0, True, "kept by 0 ms"),
        (-12.3, True, "missed by 12 s"),
        (45, False, "in 45 s"),
        (-1, False, "missed by 1 s"),
        (None, True, "–"),
    ],
)
def test_a_deadline_is_kept_or_missed_by_a_time(
    seconds: float | None, done: bool, said: str
) -> None:
    assert kept(seconds, done) == said


def test_the_segments_of_a_bar_fill_it_in_order() -> None:
    shown = segments({"gemini": 3, "safety": 1}, KINDS_OF_SOURCE)
    assert [(s.kind, s.x, s.width) for s in shown] == [
        ("gemini", 0, 75),
        ("fallback", 75, 0),
        ("safety", 75, 25),
    ]


def test_a_source_of_a_later_release_is_drawn_after_those_that_are_known() -> None:
    shown = segments({"coach": 1, "gemini": 1}, KINDS_OF_SOURCE)
    assert [(s.kind, s.width) for s in shown if s.count] == [("gemini", 50), ("coach", 50)]
    (column,) = (column for column in columns(latency_of([(3.0, "coach")])) if column.blocks)
    assert [block.kind for block in column.blocks] == ["coach"]


def test_a_bar_of_nothing_is_empty() -> None:
    assert {s.width for s in segments({}, KINDS_OF_SOURCE)} == {0}


def test_the_highest_column_reaches_the_top_and_the_rarest_can_be_seen() -> None:
    answers: list[tuple[float, Source]] = [(3.0, "gemini")] * 1000
    drawn = columns(latency_of([*answers, (30.0, "fallback")]))
    assert min(column.top for column in drawn) == TOP
    assert [c.blocks[0].height for c in drawn if c.count == 1] == [LEAST_HEIGHT]


def test_a_columns_blocks_stand_on_each_other() -> None:
    answers: list[tuple[float, Source]] = [(3.0, source) for source in KINDS_OF_SOURCE]
    (column,) = (column for column in columns(latency_of(answers)) if column.blocks)
    lower, middle, upper = column.blocks
    assert lower.y + lower.height == FLOOR
    assert (middle.y + middle.height, upper.y + upper.height) == (lower.y, middle.y)


def test_columns_of_nothing_have_no_height() -> None:
    assert [column.blocks for column in columns(latency_of([]))] == [()] * (len(EDGES) + 1)
    assert percentile_marks(latency_of([])) == ()


def test_the_axis_never_runs_backwards_or_out_of_the_drawing() -> None:
    times = [0.0, 0.05, *EDGES, *(edge * 1.5 for edge in EDGES), 1e9]
    places = [place(seconds) for seconds in sorted(times)]
    assert places == sorted(places)
    assert (places[0], places[-1] < 100) == (0.0, True)


def test_an_edge_is_placed_where_its_column_ends() -> None:
    drawn = columns(latency_of([]))
    assert [place(edge) for edge in EDGES] == pytest.approx([c.end for c in drawn[:-1]])


def test_the_page_of_an_empty_day_says_that_nothing_is_wrong() -> None:
    page = BoardPage().of(board())
    assert "Nothing is wrong" in page
    assert "nothing was answered yet today" in page


def test_the_page_puts_what_is_wrong_before_the_numbers() -> None:
    page = BoardPage().of(
        board(waiting(age=400), answered(), health=Health(key="ok", breakers={"m": "open"}))
    )
    assert "<title>(2) worker board</title>" in page
    assert page.index("has waited") < page.index("breaker of m is open") < page.index("Waiting now")
    assert "Nothing is wrong" not in page


def test_a_reading_that_was_cut_is_called_the_newest() -> None:
    page = BoardPage().of(board(answered(age=60), cut=True))
    assert "today: the newest 1, since 11:59 UTC" in page


def test_an_unknown_price_is_no_zero() -> None:
    page = BoardPage().of(board(answered(model="new")))
    assert "no price known: new" in page
    assert "$0" not in page


def test_what_could_be_html_is_escaped() -> None:
    page = BoardPage().of(board(answered(model="<script>")))
    assert "&lt;script&gt;" in page


def test_nothing_is_styled_or_scripted_inline() -> None:
    page = BoardPage().of(board(answered(), answered("fallback", "quota"), dead_letters=1))
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script src="/board/board.js"') == 1


def test_the_page_says_which_model_answered_how_often_and_how_each_breaker_is() -> None:
    shown = board(
        *(answered() for _ in range(3)),
        answered(model="lite"),
        health=Health(key="ok", breakers={"m": "half_open", "lite": "closed"}),
    )
    assert shown.models == {"m": 3, "lite": 1}
    page = BoardPage().of(shown)
    assert '<th scope="row">lite</th><td>1 · 25%</td>' in page
    assert '<p class="figure word half_open">half open</p>' in page
