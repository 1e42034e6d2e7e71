"""The same seed plans the same campaign."""

import itertools

import pytest

from tests.chaos.campaign.plan import (
    BACKENDS,
    MARGIN_SECONDS,
    OTHERS,
    OUTAGES,
    SWEEP_SECONDS,
    Backend,
    Plan,
    marker_of,
    markers_in,
    plan_of,
)


def a_plan(backend: Backend, seed: int = 7) -> Plan:
    return plan_of(backend, seed=seed, number=200, seconds=180)


@pytest.mark.parametrize("backend", BACKENDS)
def test_everything_follows_from_the_seed(backend: Backend) -> None:
    assert a_plan(backend) == a_plan(backend)
    assert a_plan(backend).journeys != a_plan(backend, seed=8).journeys
    assert a_plan(backend).faults != a_plan(backend, seed=8).faults


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_kind_of_fault_comes(backend: Backend) -> None:
    kinds = {fault.kind for fault in a_plan(backend).faults}
    assert kinds == {*OUTAGES[backend], *OTHERS[backend]}


@pytest.mark.parametrize("backend", BACKENDS)
def test_between_two_storms_a_sweep_is_undisturbed(backend: Backend) -> None:
    """Else nothing would ever be too late, and the count of what is stuck could not fail."""
    outages = [fault for fault in a_plan(backend).faults if fault.excuses]
    pauses = [
        later.at - earlier.at - earlier.seconds for earlier, later in itertools.pairwise(outages)
    ]
    assert sum(pause > SWEEP_SECONDS + MARGIN_SECONDS for pause in pauses) >= 3


def test_a_marker_is_found_in_text() -> None:
    assert markers_in(f"Steg {marker_of(7)}, {marker_of(12)}") == {marker_of(7), marker_of(12)}


def test_only_a_request_with_a_key_is_sent_more_than_once() -> None:
    assert {j.sends for j in a_plan("embedded").journeys if not j.keyed} == {1}
    assert {j.sends for j in a_plan("embedded").journeys if j.keyed} == {1, 2, 3, 4, 5}
