"""What becomes of a run's results."""

from collections import Counter
from pathlib import Path

import pytest

from tests.reliability.catalogue import (
    Outcomes,
    Proof,
    fault_lines,
    faults_in,
    outcomes_in,
    said,
    with_results,
)

DOCUMENT = """
Last run: not yet.

| | what goes wrong | what must happen | proved by, with the last result |
| --: | --- | --- | --- |
| 1 | rain | an umbrella | [it opens](../tests/unit/test_umbrella.py): not run<br>[it is dry]\
(../tests/unit/test_umbrella.py): 7 passed |
| 2 | snow | boots | open: issue 12 |
"""
OPENS = Proof("tests/unit/test_umbrella.py", "test_it_opens")
DRY = Proof("tests/unit/test_umbrella.py", "test_it_is_dry")

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_umbrella" name="test_it_opens[in wind [10]]"/>
<testcase classname="tests.unit.test_umbrella" name="test_it_opens[twice]"><failure/></testcase>
<testcase classname="tests.unit.test_umbrella" name="test_it_opens[late]"><error/></testcase>
<testcase classname="tests.unit.test_umbrella" name="test_it_is_dry"><skipped/></testcase>
</testsuite></testsuites>"""


def outcomes(**of: Counter[str]) -> Outcomes:
    return {Proof("tests/unit/test_umbrella.py", f"test_{name}"): n for name, n in of.items()}


def test_a_row_is_a_fault_with_its_tests() -> None:
    rain, snow = faults_in(DOCUMENT)
    assert (rain.number, rain.what, rain.must, rain.open) == (1, "rain", "an umbrella", "")
    assert rain.proofs == (OPENS, DRY)
    assert (snow.proofs, snow.open) == ((), "issue 12")


def test_results_are_counted_by_test_over_all_parameters(tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text(JUNIT)
    assert outcomes_in(tmp_path / "results.xml") == {
        OPENS: Counter(passed=1, failed=2),
        DRY: Counter(skipped=1),
    }


def test_new_results_take_the_place_of_the_last_ones() -> None:
    run = outcomes(it_opens=Counter(passed=3, failed=1))
    written = with_results(DOCUMENT, run, "2026-11-24, commit abc")
    assert "Last run: 2026-11-24, commit abc; 1 failed, 3 passed in all." in written
    assert "[it opens](../tests/unit/test_umbrella.py): 1 failed, 3 passed<br>" in written
    assert "[it is dry](../tests/unit/test_umbrella.py): not run |" in written


def test_writing_the_same_results_twice_changes_nothing() -> None:
    run = outcomes(it_opens=Counter(passed=3), it_is_dry=Counter(skipped=1))
    once = with_results(DOCUMENT, run, "today")
    assert with_results(once, run, "today") == once


@pytest.mark.parametrize(
    ("opens", "dry", "state"),
    [
        (Counter(passed=2), Counter(passed=1), "passed"),
        (Counter(passed=2), Counter(skipped=1), "skipped"),
        (Counter(passed=2), Counter[str](), "not run"),
        (Counter(failed=1, passed=1), Counter[str](), "failed"),
    ],
)
def test_a_fault_is_as_good_as_the_worst_of_its_tests(
    opens: Counter[str], dry: Counter[str], state: str
) -> None:
    rain, _ = faults_in(DOCUMENT)
    assert rain.state(outcomes(it_opens=opens, it_is_dry=dry)) == state


def test_the_terminal_shows_each_fault_and_the_number_of_each_state() -> None:
    run = outcomes(it_opens=Counter(passed=3), it_is_dry=Counter(passed=1))
    assert list(fault_lines(faults_in(DOCUMENT), run)) == [
        "  1 passed   rain",
        "  2 open     snow",
        "1 passed, 1 open",
    ]


def test_nothing_is_said_of_what_did_not_run() -> None:
    assert said(Counter()) == "not run"
