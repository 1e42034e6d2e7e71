"""One life cycle, two stores: what Hypothesis tries on SQLite and on Firestore's emulator."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud.firestore import Client
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from local.sqlite.database import open_database
from local.sqlite.store import SqliteStore
from shared.clock import Clock
from shared.domain.activation import Activation
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from shared.ports import ActivationStore, Stored
from tests.contract.life_cycle.machine import LifeCycle
from tests.doubles import FakeTime
from tests.support.emulators import PROJECT, GoogleEmulators
from tests.support.tables import RecordProperty
from tests.turns import one_thread
from worker.pipeline import held_claims

SEED = int(os.environ.get("TEST_SEED", "20261124"))
"""Fixed unless told: a new seed is for looking for faults, not for stopping a merge."""

USUAL = {
    "submitted",
    "erased",
    "cancel: cancelled",
    "delivery: processing",
    "delivery: queued",
    "delivery: completed",
    "sweep: queued",
    "sweep: completed",
}
"""Changes that many lives come through; without them the test would try nothing."""

OpenStore = Callable[[FakeTime], ActivationStore]


def live(
    backend: str, open_store: OpenStore, record: RecordProperty, *, examples: int, steps: int
) -> Counter[str]:
    """How often each change was reached, in all the lives that Hypothesis tries."""
    reached: Counter[str] = Counter()

    @seed(SEED)
    class Life(LifeCycle):
        def __init__(self) -> None:
            super().__init__(open_store)

        def teardown(self) -> None:
            super().teardown()
            reached.update(self.world.store.reached)

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    counts = [f"{number:5} {change}" for change, number in sorted(reached.items())]
    lines = [f"{examples} lives of {steps} steps, {SEED=}", *counts]
    record(f"life cycle on {backend}", "\n".join(lines))
    return reached


@pytest.fixture(autouse=True)
def one_release_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else threads would choose an order that no seed repeats."""
    monkeypatch.setattr(held_claims, "ThreadPoolExecutor", one_thread)


class OnTestTime(FirestoreStore):
    """Firestore, but that the test's clock says when something was written and read.

    The emulator's clock can't be moved. All else is its own: versions, conditions, queries. That
    its times decide about a lease is tried in test_store.py.
    """

    def __init__(self, client: Client, collection: str, clock: Clock) -> None:
        super().__init__(client, collection)
        self._clock = clock
        self._written_at: dict[str, datetime] = {}

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        return self._written(super().create(activation, daily_limit=daily_limit))

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        return self._written(super().replace(activation, expected_version))

    def get(self, activation_id: str) -> Stored | None:
        found = super().get(activation_id)
        return None if found is None else self._read(found)

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        return [self._read(one) for one in super().due(now, limit=limit)]

    def _written(self, stored: Stored) -> Stored:
        self._written_at[stored.version] = self._clock()
        return self._read(stored)

    def _read(self, stored: Stored) -> Stored:
        written_at = self._written_at[stored.version]
        return replace(stored, written_at=written_at, read_at=self._clock())


@pytest.fixture
def on_sqlite(tmp_path: Path) -> OpenStore:
    numbers = count()

    def open_store(time: FakeTime) -> ActivationStore:
        return SqliteStore(open_database(tmp_path / str(next(numbers))), clock=time.now)

    return open_store


@pytest.fixture
def on_firestore(emulators: GoogleEmulators) -> Iterator[OpenStore]:
    with emulators.found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    yield lambda time: OnTestTime(client, f"activations-{uuid4().hex}", time.now)
    client.close()


@pytest.mark.timeout(400)  # for a life that fails: Hypothesis looks for a short one like it
def test_sqlite_keeps_the_promises_of_the_life_cycle(
    on_sqlite: OpenStore, record_property: RecordProperty
) -> None:
    reached = live("sqlite", on_sqlite, record_property, examples=100, steps=50)
    assert set(reached) >= USUAL


@pytest.mark.timeout(400)
def test_firestore_keeps_the_promises_of_the_life_cycle(
    on_firestore: OpenStore, record_property: RecordProperty
) -> None:
    live("firestore", on_firestore, record_property, examples=15, steps=30)
