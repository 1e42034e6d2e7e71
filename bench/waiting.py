"""Ways to wait for an activation: what each reads, holds and burns, and how late it wakes.

`python -m bench.waiting`, three minutes on Google's Firestore emulator and on SQLite. Each way gets
the same seeded lives, a process of its own, and another process that writes.
"""

import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.cloud.firestore_v1 import FieldFilter

from local.emulators.programs import find_emulators, wait_until_listening
from local.sqlite.database import open_database
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.clock import utc_now
from shared.domain.activation import Activation
from shared.google import firestore
from shared.ports import ActivationStore, Stored
from tests.builders import an_activation, an_answer
from tests.support.emulators import PROJECT, free_port

SEED = 20261123
ONE_ROUNDS, MANY, MANY_ROUNDS = 10, 20, 2
SIMULATED, LIBRARY_SECONDS, READ_SECONDS = 5000, 0.02, 0.003
PATIENCE_SECONDS, PRAGMA_SECONDS, SETTLE_SECONDS = 30.0, 0.02, 20.0  # imports of all take a while
SPAWN = multiprocessing.get_context("spawn")
HEAD = f"""Seed {SEED}; then schedules of polling, simulated with {SIMULATED} lives.

| store | way | waiters | reads | threads | late p50 ms | p95 ms | CPU ms |
| --- | --- | --: | --: | --: | --: | --: | --: |"""
SCHEDULES_HEAD = """
| first s | then ≥ s | × | of the age | ≤ s | at once | reads | p50 | p95 | quick | in 30 s |
| --: | --: | --: | --: | --: | --- | --: | --: | --: | --: | --: |"""

Life = tuple[str, float, float, float]  # id; waited for, claimed, completed after so many seconds
# First pause, least after it, growth, share of the age, longest; whether a read comes before all.
Schedule = tuple[float, float, float, float, float, bool]
FIXED, BEFORE = (0.1, 0, 1, 0, 0.1, True), (0.05, 0, 1.5, 0, 1, True)
CHOSEN = (0.1, 0.4, 1, 0.1, 1, False)
TRIED: list[Schedule] = [
    *(FIXED, BEFORE, CHOSEN, (0.05, 0, 1.5, 0, 1, False)),
    *((first, 0, 1.25, 0, top, False) for first in (0.1, 0.25) for top in (1, 0.5)),
    *((0.1, least, 1, share, 1, False) for least in (0.25, 0.4) for share in (0.15, 0.2)),
]


def pauses(schedule: Schedule) -> Iterator[float]:
    (pause, least, growth, share, longest, at_once), age = schedule, 0.0
    if at_once:
        yield 0.0
    while True:
        yield pause
        age += pause
        pause = min(longest, max(least, pause * growth, share * age))


@dataclass(frozen=True)
class Task:
    """One measurement, and the place where it alone keeps its activations."""

    place: Path
    backend: str
    way: str
    waiters: int
    rounds: int
    not_before: float = 0.0

    def store(self) -> ActivationStore:
        if self.backend == "SQLite":
            return SqliteStore(open_database(self.place))
        return firestore.FirestoreStore(firestore.connect(PROJECT, "(default)"), self.place.name)


class Polling:
    """A way to wait, behind the port's `wait`, that counts the documents it is billed for."""

    def __init__(self, task: Task, schedule: Schedule = FIXED) -> None:
        self.store, self._schedule, self.reads = task.store(), schedule, list[int]()
        self.documents = firestore.connect(PROJECT, "(default)").collection(task.place.name)

    def wait(self, activation_id: str, *, seen: str, seconds: float) -> Stored | None:
        end = time.monotonic() + seconds
        for pause in pauses(self._schedule):
            time.sleep(min(pause, max(0.0, end - time.monotonic())))
            self.reads.append(1)
            found = self.store.get(activation_id)
            if found is None or found.version != seen or time.monotonic() >= end:
                break
        return found


class DataVersion(Polling):
    """SQLite tells cheaply that somebody has committed something; only then is a read worth it."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._queue = SqliteQueue(open_database(task.place), "")

    def wait(self, activation_id: str, *, seen: str, seconds: float) -> Stored | None:
        end = time.monotonic() + seconds
        while True:
            version = self._queue.data_version()  # before the read, so that no commit slips between
            found = super().wait(activation_id, seen=seen, seconds=0)
            if found is None or found.version != seen or time.monotonic() >= end:
                return found
            while self._queue.data_version() == version and time.monotonic() < end:
                time.sleep(PRAGMA_SECONDS)


class ListenerEach(Polling):
    """A listener for each call of `wait`; its first snapshot stands for the first read."""

    def wait(self, activation_id: str, *, seen: str, seconds: float) -> Stored | None:
        changed, latest = threading.Event(), list[Stored]()

        def take(_: Any, changes: list[Any], __: Any) -> None:
            self.reads.append(len(changes))
            latest.extend(stored_from(change.document) for change in changes)
            if latest and latest[-1].version != seen:
                changed.set()

        listener = self.documents.document(activation_id).on_snapshot(take)
        changed.wait(seconds)
        listener.unsubscribe()
        return latest[-1] if latest else None


class ListenerShared(Polling):
    """One listener for the process, on whatever changes from now on, whoever waits for it: `in`
    takes 30 ids, and each newcomer would mean a new query that is billed for all. It lags, so it
    needs what the port does not promise: versions with an order."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._board, self._changed = dict[str, Stored](), threading.Condition()
        recent = FieldFilter("updated_at", ">=", utc_now())
        self.documents.where(filter=recent).on_snapshot(self._take)

    def _take(self, _: Any, changes: list[Any], __: Any) -> None:
        self.reads.append(len(changes))
        with self._changed:
            for change in changes:
                self._board[change.document.id] = stored_from(change.document)
            self._changed.notify_all()

    def wait(self, activation_id: str, *, seen: str, seconds: float) -> Stored | None:
        board, after, name = self._board, DatetimeWithNanoseconds.from_rfc3339(seen), activation_id
        with (changed := self._changed):
            changed.wait_for(lambda: name in board and board[name].written_at > after, seconds)
            return board.get(name)


def stored_from(document: Any) -> Stored:
    """A listener's snapshot, as the store would hand it out."""
    activation, at = Activation.model_validate(document.to_dict()), document.update_time
    return Stored(activation=activation, version=at.rfc3339(), written_at=at, read_at=at)


WAYS: dict[tuple[str, str], Callable[[Task], Polling]] = {
    ("Firestore", "a. poll, fixed"): partial(Polling, schedule=FIXED),
    ("SQLite", "a. poll, fixed"): partial(Polling, schedule=FIXED),
    ("Firestore", "b. poll, before"): partial(Polling, schedule=BEFORE),
    ("SQLite", "b. poll, before"): partial(Polling, schedule=BEFORE),
    ("Firestore", "b. poll, chosen"): partial(Polling, schedule=CHOSEN),
    ("SQLite", "b. poll, chosen"): partial(Polling, schedule=CHOSEN),
    ("Firestore", "c. listener each"): ListenerEach,
    ("SQLite", "e. data_version"): DataVersion,
    ("Firestore", "d. one listener"): ListenerShared,
}


def lives(chance: random.Random, name: str, count: int) -> list[Life]:
    """The same for every way. The work is log-normal around 3 s, within 0.5 and 8."""
    found = []
    for number in range(count):
        claim = (begin := chance.uniform(0, 1)) + chance.uniform(0.03, 0.07)
        work = min(8.0, max(0.5, chance.lognormvariate(1.1, 0.6)))
        found.append((f"{name}-{number}", begin, claim, claim + work))
    return found


def until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def write(task: Task, queued: list[Stored], found: list[Life], start: float) -> dict[str, float]:
    """Claim and complete. When each last commit had returned, by the clock all processes share."""
    store, latest = task.store(), {made.activation.activation_id: made for made in queued}
    store.ping()
    done = {}
    for at, name in sorted((at, name) for name, _, *both in found for at in both):
        until(start + at)
        known, now = latest[name].activation, utc_now()
        claimed = known.claimed(claim_id="1", now=now, lease=timedelta(seconds=90))
        changed = known.completed(an_answer(), now=now) if known.attempt else claimed
        latest[name], done[name] = store.replace(changed, latest[name].version), time.monotonic()
    return done


def request(way: Polling, latest: Stored | None, begin: float) -> float:
    """Wait until it is done, as the ingress does. When it woke."""
    until(begin)
    while latest is not None and not latest.activation.done:
        seen, name = latest.version, latest.activation.activation_id
        latest = way.wait(name, seen=seen, seconds=PATIENCE_SECONDS)
        assert latest is None or latest.version != seen
    return time.monotonic()


def measure(task: Task) -> str:
    """A line of the table. The threads are those beside the request's own, at the height."""
    cpu, threads, delays = 0.0, 0.0, list[float]()
    with ProcessPoolExecutor(1, SPAWN) as writer, ThreadPoolExecutor(task.waiters) as requests:
        writer.submit(write, task, [], [], 0.0).result()
        list(requests.map(threading.Barrier(task.waiters).wait, [None] * task.waiters))
        before = threading.active_count()
        way = WAYS[task.backend, task.way](task)
        until(task.not_before)
        for number in range(task.rounds):
            found = lives(random.Random(f"{SEED}/{number}"), str(number), task.waiters)
            created = [way.store.create(an_activation(life[0], now=utc_now())) for life in found]
            start, burnt = time.monotonic() + 0.3, time.process_time()
            written = writer.submit(write, task, created, found, start)
            pairs = list(zip(created, found, strict=True))
            woken = [requests.submit(request, way, made, start + life[1]) for made, life in pairs]
            while wait(woken, timeout=0.05).not_done:
                threads = max(threads, threading.active_count() - before)
            cpu += time.process_time() - burnt
            done = written.result()
            delays += [w.result() - done[life[0]] for w, life in zip(woken, found, strict=True)]
    reads, cpu, threads = sum(way.reads) / len(delays), cpu / len(delays), threads / task.waiters
    figures = f"{reads:.1f} | {threads:.2f} | {late(delays)} | {cpu * 1000:.0f}"
    return f"| {task.backend} | {task.way} | {task.waiters} | {figures} |"


def late(delays: list[float]) -> str:
    return " | ".join(f"{quantiles(delays, n=20)[at] * 1000:.0f}" for at in (9, 18))


def simulate(schedule: Schedule, claimed: float, completed: float) -> tuple[int, float]:
    """Reads of one waiter that comes at 0, and how late it wakes. A change starts it anew."""
    now, reads, seen = 0.0, 0, -1.0
    while seen < completed:
        for pause in pauses(schedule):
            looked = now + pause
            now, reads = looked + READ_SECONDS, reads + 1
            if looked >= completed or seen < claimed <= looked:
                seen = looked
                break
    return reads, now - completed


def schedules() -> list[str]:
    """Lines of a table, from many more lives than can be lived through."""
    found, lines = lives(random.Random(SEED), "", SIMULATED), []
    for tried in TRIED:
        waits = [simulate(tried, c - b, d - b) for _, b, c, d in found]
        quick = [simulate(tried, c - b, c - b + LIBRARY_SECONDS)[1] for _, b, c, _ in found]
        lines.append(
            f"| {' | '.join(f'{part:g}' for part in tried[:5])} | {'yes' if tried[5] else ''} "
            f"| {mean(w[0] for w in waits):.1f} | {late([w[1] for w in waits])} "
            f"| {median(quick) * 1000:.0f} | {simulate(tried, 30, 30)[0]} |"
        )
    return lines


def report() -> list[str]:
    """Two tables. With one waiter all ways run side by side, with many two at a time."""
    processes = partial(ProcessPoolExecutor, mp_context=SPAWN, max_tasks_per_child=1)
    with tempfile.TemporaryDirectory() as name, processes(len(WAYS)) as all_, processes(2) as two:
        folder, port, begin = Path(name), free_port(), time.monotonic() + SETTLE_SECONDS
        emulator = find_emulators().firestore(port, folder)
        os.environ["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{port}"  # for our processes as well
        try:
            emulator.start()
            wait_until_listening([emulator], [port])
            few = [Task(folder / f"a{n}", *way, 1, ONE_ROUNDS, begin) for n, way in enumerate(WAYS)]
            many = [Task(folder / f"b{n}", *way, MANY, MANY_ROUNDS) for n, way in enumerate(WAYS)]
            lines = sorted([*all_.map(measure, few), *two.map(measure, many)])
        finally:
            emulator.stop(grace_seconds=5)
    return [HEAD, *lines, SCHEDULES_HEAD, *schedules()]


if __name__ == "__main__":
    print("\n".join(report()))
