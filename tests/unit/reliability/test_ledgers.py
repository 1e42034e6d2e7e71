"""The ledgers of several campaigns, side by side."""

from pathlib import Path

import pytest

from tests.chaos.campaign.auditor import audit
from tests.chaos.campaign.history import History
from tests.chaos.campaign.plan import Backend, plan_of
from tests.chaos.campaign.report import write
from tests.reliability.ledgers import Run, read, with_ledgers, write_drawings
from tests.unit.chaos.histories import a_call, a_promise, stored

DOCUMENT = "before\n<!-- ledgers -->\n\nNot run yet.\n\n<!-- end of ledgers -->\nafter\n"


def a_run(folder: Path, backend: Backend, seed: int, *, lost: bool = False) -> Run:
    history = History()
    history.promises = [a_promise()]
    history.calls = [a_call()]
    history.stored = {} if lost else {"a1": stored()}
    plan = plan_of(backend, seed=seed, number=4, seconds=10)
    write(folder, plan, history, audit(history), 0.0)
    return read(folder)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    return [a_run(folders[0], "embedded", 7), a_run(folders[1], "emulators", 8, lost=True)]


def test_each_run_is_a_column(runs: list[Run]) -> None:
    written = with_ledgers(DOCUMENT, runs, "2026-11-24, commit abc").splitlines()
    assert "| | embedded, seed 7 | emulators, seed 8 |" in written
    assert "| submits asked for | 4 | 4 |" in written
    assert "| · completed gemini | 1 | 0 |" in written
    assert "| **lost** | 0 | 1 |" in written


def test_an_ending_that_only_one_run_has_stands_among_the_endings(runs: list[Run]) -> None:
    runs[1]["ended"] = {"cancelled": 3}
    written = with_ledgers(DOCUMENT, runs, "today").splitlines()
    first = written.index("| · cancelled | 0 | 3 |")
    assert written[first + 1] == "| · completed gemini | 1 | 0 |"


def test_the_section_is_written_anew_and_nothing_else(runs: list[Run]) -> None:
    once = with_ledgers(DOCUMENT, runs, "today")
    assert with_ledgers(once, runs, "today") == once
    assert once.startswith("before\n<!-- ledgers -->\n\nRun on today.\n")
    assert once.endswith("\n\n<!-- end of ledgers -->\nafter\n")
    assert "Not run yet" not in once


def test_each_drawing_that_the_section_shows_is_written_and_old_ones_go(
    tmp_path: Path, runs: list[Run]
) -> None:
    folder = tmp_path / "reliability"
    folder.mkdir()
    (folder / "embedded-1.svg").write_text("old")
    write_drawings(folder, runs)
    assert {file.name for file in folder.iterdir()} == {"embedded-7.svg", "emulators-8.svg"}
    written = with_ledgers(DOCUMENT, runs, "today")
    assert all(f"](reliability/{file.name})" in written for file in folder.iterdir())
