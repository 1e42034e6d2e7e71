"""The arithmetic of `make bench`: percentiles, medians of rounds, rates, the table."""

from typing import Any

import pytest

from bench.compare.figures import HEAD, Spread, percentile, table
from bench.compare.load import Seen, arrivals, goal, number_in
from bench.compare.measure import (
    QUICK,
    Measured,
    crowd,
    per_thousand,
    scenarios,
    throughput,
)
from bench.compare.processes import Usage
from bench.compare.systems import LIMIT, OURS, SLOTS


def measured(scenario: str, **changes: Any) -> Measured:
    fields: dict[str, Any] = {
        "system": "ours",
        "scenario": scenario,
        "round": 1,
        "activations": 100,
        "per_second": 32.0,
        "accepted": [4.0],
        "to_gemini": [5.0],
        "overhead": [9.0],
        "cpu": {"web": 2.0},
        "rss": {"web": 50.0},
        "gemini_calls": 100,
        "busy": 0,
        "cores": {"load": 0.1, "gemini": 0.1},
    }
    return Measured(**{**fields, **changes})


def cells(row: str) -> dict[str, str]:
    return dict(zip(HEAD, (cell.strip() for cell in row[1:-1].split("|")), strict=True))


def seen(*done: float) -> Seen:
    activations = [(number, 100.0, 100.5, at) for number, at in enumerate(done)]
    return Seen(began=100.0, activations=activations, busy=0, cpu_seconds=0.0)


@pytest.mark.parametrize(("percent", "value"), [(50, 3.0), (95, 4.8)])
def test_a_percentile_lies_between_the_values(percent: int, value: float) -> None:
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], percent) == pytest.approx(value)


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 95) == 7.0


def test_rounds_are_shown_as_their_median_with_both_ends() -> None:
    assert Spread.of([414.0, 1398.0, 420.0]).shown() == "420 (414–1,398)"


def test_one_round_is_shown_without_ends() -> None:
    assert Spread.of([2.04]).shown(1) == "2.0"


def test_a_rate_counts_what_was_done_in_time_until_the_last_of_it() -> None:
    assert throughput(seen(101.0, 104.0, 109.0), seconds=5) == pytest.approx(2 / 4)


def test_the_rate_of_nothing_is_zero() -> None:
    assert throughput(seen(), seconds=5) == 0.0


def test_cpu_is_what_was_used_meanwhile_for_a_thousand_activations() -> None:
    before, after = Usage({"web": 1.0}, {}), Usage({"web": 3.0, "worker": 0.5}, {})
    assert per_thousand(before, after, 500) == {"web": 4.0, "worker": 1.0}


def test_google_s_emulators_are_no_cost_of_a_system() -> None:
    cpu = {"web": 1.0, "worker": 2.5, "redis": 0.5, "emulator": 90.0, "gemini": 9.0}
    [row] = table([measured(crowd(SLOTS), cpu=cpu, rss=cpu)])[2:]
    assert (cells(row)["A CPU"], cells(row)["A MiB"]) == ("4.0", "4")


def test_the_table_takes_medians_of_the_rounds() -> None:
    rounds = [measured("steady", overhead=[ms]) for ms in (10.0, 30.0, 11.0)]
    [row] = table(rounds)[2:]
    assert cells(row)["C over p50"] == "11.0 (10.0–30.0)"


def test_half_of_all_slots_a_second_is_half_of_the_limit() -> None:
    [row] = table([measured("slots", per_second=SLOTS / 2)])[2:]
    assert cells(row)["B %"] == "50"


def test_what_was_asked_twice_of_gemini_shows() -> None:
    [row] = table([measured("steady", gemini_calls=150)])[2:]
    assert cells(row)["C calls"] == "1.500"


def test_waiting_has_a_row_of_its_own() -> None:
    rows = table([measured("steady, wait", to_gemini=[3.0]), measured("steady")])[2:]
    assert [cells(row)["C to Gemini"] for row in rows] == ["5.0", "3.0"]


def test_the_limit_has_no_more_clients_than_slots() -> None:
    assert max(each.load.get("clients", 0) for each in scenarios(QUICK, LIMIT)) == SLOTS


def test_who_can_wait_is_measured_both_ways() -> None:
    names = {each.name for each in scenarios(QUICK, OURS)}
    assert {"slots", "slots, wait", "steady", "steady, wait"} < names


def test_arrivals_come_at_the_rate_and_are_the_same_each_time() -> None:
    found = list(arrivals(5.0, 1000))
    assert found == list(arrivals(5.0, 1000)) == sorted(found)
    assert found[-1] == pytest.approx(200, rel=0.1)


def test_gemini_finds_the_number_of_the_activation_in_its_goal() -> None:
    assert number_in(f"Mood: 2. Goal: {goal(42)} And more.") == 42
