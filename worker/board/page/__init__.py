"""The board's pages as HTML, rendered from its figures and from one activation's story, escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from worker.board.alerts import alerts
from worker.board.figures import Board
from worker.board.page.drawing import (
    FLOOR,
    KINDS_OF_SOURCE,
    KINDS_OF_STATE,
    TOP,
    columns,
    percentile_marks,
    segments,
)
from worker.board.page.spoken import clock, duration, kept, number, usd
from worker.board.story import Story

FOLDER = Path(__file__).parent


class BoardPage:
    """The templates, read once."""

    def __init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            clock=clock, duration=duration, kept=kept, number=number, usd=usd
        )
        self._board = environment.get_template("board.html")
        self._away = environment.get_template("away.html")
        self._story = environment.get_template("story.html")
        self._missing = environment.get_template("missing.html")

    def of(self, board: Board) -> str:
        return self._board.render(
            board=board,
            alerts=alerts(board),
            top=TOP,
            floor=FLOOR,
            columns=columns(board.latency),
            percentile_marks=percentile_marks(board.latency),
            states=segments(board.states, KINDS_OF_STATE),
            sources=segments(board.sources, KINDS_OF_SOURCE),
        )

    def of_a_store_that_is_away(self, *, of_one: bool = False) -> str:
        """`of_one`: it was asked for one activation, which may only be unreadable."""
        return self._away.render(of_one=of_one)

    def of_story(self, story: Story) -> str:
        return self._story.render(story=story)

    def of_no_activation(self) -> str:
        return self._missing.render()
