"""The processes around one store, one queue and one Gemini, and the jobs that they have in hand.

A job stops before every call to the outside, so that others go on in between, answers are lost and
processes die there.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

from ingress.api.idempotency import derived_id
from ingress.api.request import ActivationRequest
from ingress.submit.accept import Acceptor
from ingress.submit.cancel import cancel
from shared.domain.messages import Message
from shared.errors import StoreUnavailable
from shared.http.problems import Problem
from shared.ports import ActivationStore, Stored
from tests.builders import FALLBACK, LEASE
from tests.contract.life_cycle.model import MAX_ATTEMPTS, Actor, Kind, WatchedStore
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini
from tests.turns import Work, stopping
from tests.unit.gemini.clients import a_client
from worker.pipeline.claim import Claimer
from worker.pipeline.dead_letters import DeadLetters
from worker.pipeline.decide import WRITE_SECONDS, Decider
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor
from worker.pipeline.sweep import Sweeper

DEADLINES = (300, 300, 300, 100, 300, 10)
"""In seconds, of one request after the other."""

LAST_WRITE = {"completed": "completed", "paused": "queued"}
"""Of a delivery, for each outcome that says that it has written."""

DAILY_LIMIT = 3
A_CENTURY = timedelta(days=36_500)
"""So that no document expires by the clock of Firestore's emulator."""


@dataclass(eq=False)
class Worker:
    """A process with its own clock, which may be wrong."""

    claims: HeldClaims
    clock_is_late: timedelta


@dataclass(eq=False)
class Job:
    actor: Actor
    work: Work
    worker: Worker | None
    gemini_calls: int = 0


class World:
    def __init__(
        self, store: ActivationStore, time: FakeTime, logs: list[MutableMapping[str, Any]]
    ) -> None:
        self.time = time
        self.store = WatchedStore(store, time)
        self.publisher = FakePublisher()
        self.gemini = ScriptedGemini()
        self.user = uuid4().hex
        self.ids: list[str] = []
        """Of all requests so far."""
        self.jobs: list[Job] = []
        self.workers = [self._worker(timedelta(hours=1)), self._worker(timedelta(hours=-1))]
        self.paid = 0
        """Calls to Gemini of the jobs that have ended, the killed ones left out, and those that
        were under way when their process gave its claims back."""
        self._logs = logs

    # What a process can be asked for

    def waiting(self) -> list[str]:
        """The ids of those that are not done."""
        return [name for name, one in self.store.holds.items() if not one.activation.done]

    def submit(self, *, again: bool) -> Job:
        """A new request, or the last one with its Idempotency-Key again."""
        acceptor = Acceptor(
            store=self._stopping,
            publisher=stopping(self.publisher),
            clock=self.time.now,
            time_to_answer=timedelta(seconds=max(DEADLINES)),
            time_to_live=A_CENTURY,
            daily_limit=DAILY_LIMIT,
        )
        if not again:
            self.ids.append(derived_id(self.user, f"key {len(self.ids) + 1}"))
        number = len(self.ids)
        seconds = DEADLINES[number % len(DEADLINES)]
        request = ActivationRequest(mood=2, goal="komma igång", deadline_seconds=seconds)
        key = f"key {number}"
        return self._start(
            "submit", lambda _: acceptor.accept(self.user, request, language="sv", key=key)
        )

    def deliver(self, message: Message, worker: Worker) -> Job:
        processor = Processor(
            store=self._stopping,
            claims=worker.claims,
            claimer=Claimer(
                store=self._stopping,
                lease=LEASE,
                clock=lambda: self.time.now() - worker.clock_is_late,
            ),
            decider=self._decider(worker),
            write_back_seconds=20,
            sleep=self.time.sleep,
            monotonic=self.time.monotonic,
        )
        return self._start("delivery", lambda _: processor.process(message), worker)

    def dead_letter(self, message: Message) -> Job:
        letters = DeadLetters(
            store=self._stopping, fallback=FALLBACK, lease=LEASE, clock=self.time.now
        )
        return self._start("dead letter", lambda _: letters.handle("m", message))

    def sweep(self) -> Job:
        def run(work: Work) -> object:
            return Sweeper(
                store=cast(ActivationStore, stopping(self.store, pool_of=work)),
                publisher=stopping(self.publisher, pool_of=work),
                fallback=FALLBACK,
                lease=LEASE,
                clock=self.time.now,
                at_once=1,
                monotonic=self.time.monotonic,
            ).sweep()

        return self._start("sweep", run)

    def cancel(self, activation_id: str) -> Job:
        def run(_: Work) -> None:
            stored = self._stopping.get(activation_id)
            if stored is not None:
                cancel(self._stopping, stored, self.time.now())

        return self._start("cancel", run)

    def erase(self, activation_id: str) -> Job:
        return self._start("erasure", lambda _: self._stopping.delete(activation_id))

    def erase_all(self) -> Job:
        return self._start("erasure", lambda _: self._stopping.delete_all(self.user))

    # What becomes of it

    def go_on(self, job: Job, make: Callable[[], Any] | None = None) -> None:
        """Make the job's call, or `make` in place of it."""
        self.store.actor = job.actor
        job.work.go_on(make)
        self._look_at(job)

    def kill(self, job: Job) -> None:
        """Its process dies, with all that it has in hand."""
        if job.worker is None:
            self._kill(job)
        else:
            for one in self._jobs_of(job.worker):
                self._kill(one)
            self._replace(job.worker)

    def end(self, worker: Worker) -> None:
        """It gives back its claims. Its jobs may go on a little."""
        claims: dict[str, Stored] = {}
        for job in self._jobs_of(worker):
            claims |= job.actor.claims
            if job.work.next_call == "generate":  # the release accounts for it
                self.paid += job.gemini_calls
                job.gemini_calls = 0
        self.store.actor = Actor("shutdown", claims)
        worker.claims.release_all()
        self._replace(worker)

    @property
    def _stopping(self) -> ActivationStore:
        return cast(ActivationStore, stopping(self.store))

    def _worker(self, clock_is_late: timedelta) -> Worker:
        return Worker(HeldClaims(self._stopping), clock_is_late)

    def _kill(self, job: Job) -> None:
        """What it does while it ends does not count: a killed process does nothing."""
        logged = len(self._logs)
        job.work.kill()
        del self._logs[logged:]
        self.jobs.remove(job)

    def _jobs_of(self, worker: Worker) -> list[Job]:
        return [job for job in self.jobs if job.worker is worker]

    def _replace(self, worker: Worker) -> None:
        if worker in self.workers:  # else it has ended before
            self.workers[self.workers.index(worker)] = self._worker(worker.clock_is_late)

    def _decider(self, worker: Worker) -> Decider:
        return Decider(
            gemini=a_client(
                self.time,
                stopping(self.gemini),
                attempts=1,
                attempt_seconds=1,
                given_back=worker.claims.given_back,
                failures=1000,
            ),
            fallback=FALLBACK,
            max_attempts=MAX_ATTEMPTS,
            max_sleep_seconds=5,
            budget_seconds=70,
            monotonic=self.time.monotonic,
        )

    def _start(
        self, kind: Kind, run: Callable[[Work], object], worker: Worker | None = None
    ) -> Job:
        actor = self.store.actor = Actor(kind)
        job = Job(actor, Work(run), worker)
        self.jobs.append(job)
        self._look_at(job)
        return job

    def _look_at(self, job: Job) -> None:
        if job.work.next_call == "generate":
            self._judge_call(job)
        if not job.work.ended:
            return
        self.jobs.remove(job)
        self.paid += job.gemini_calls
        if not isinstance(job.work.error, (StoreUnavailable, Problem, type(None))):
            raise job.work.error
        last = LAST_WRITE.get(str(job.work.result))
        assert last is None or job.actor.wrote[-1:] == [last]

    def _judge_call(self, job: Job) -> None:
        """A call to Gemini begins. Each is paid for, so it needs a claim of its own."""
        job.gemini_calls += 1
        (claim,) = job.actor.claims.values()
        assert job.gemini_calls == 1
        assert claim.activation.attempt <= MAX_ATTEMPTS
        assert claim.written_at + timedelta(seconds=WRITE_SECONDS) < claim.activation.deadline
        assert job.worker is not None
        assert not job.worker.claims.given_back.is_set()
