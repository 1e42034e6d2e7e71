"""The state machine: what may happen to one user's activations, in any order.

The clock moves only when a rule moves it, or a worker waits.
"""

from collections.abc import Callable, MutableMapping
from contextlib import ExitStack, suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from structlog.testing import capture_logs

from shared.domain.activation import Usage
from shared.errors import PublishFailed, StoreError, StoreUnavailable
from shared.ports import ActivationStore
from tests.contract.life_cycle.world import Job, World
from tests.doubles import FakeTime
from tests.turns import Call
from worker.gemini.port import Unavailable

STEPS = (
    *("submit", "submit", "deliver", "deliver", "deliver", "deliver", "deliver", "sweep"),
    *("sweep", "dead letter", "cancel", "erase", "kill", "end"),
    *("time passes", "time passes", "time passes", "go on", "go on", "go on", "go on", "go on"),
    *("go on", "go on", "finish", "finish"),
)
FAULTS = (*["none"] * 5, "refused", "answer lost", "tried again", "tried again")
ANSWERS = ("step", "step", "pause", "failure")
SECONDS = (1, 38, 46, 91, 91)
A_DAY = 24 * 60 * 60
MOST_JOBS = 4
PAID = Usage(gemini_calls=1)


class LifeCycle(RuleBasedStateMachine):
    def __init__(self, open_store: Callable[[FakeTime], ActivationStore]) -> None:
        super().__init__()
        self._open = ExitStack()
        self.logs: list[MutableMapping[str, Any]] = self._open.enter_context(capture_logs())
        time = FakeTime()
        self.world = World(open_store(time), time, self.logs)
        self.sound = True
        """Whether the last step went well: the end of a life that failed would hide why."""

    @initialize()
    def one_is_there(self) -> None:
        self._finish(self.world.submit(again=False))

    @rule(
        step=st.sampled_from(STEPS),
        number=st.integers(0, 9),
        whole=st.sampled_from((False, False, True)),
        fault=st.sampled_from(FAULTS),
        answer=st.sampled_from(ANSWERS),
    )
    def step(self, step: str, number: int, whole: bool, fault: str, answer: str) -> None:
        """One rule for all: of several, Hypothesis switches off most in most lives.

        A `whole` job ends before anything else happens.
        """
        world, self.sound = self.world, False
        if step == "time passes":
            # Where nothing is to be done a day passes, so that the user may submit again.
            busy = world.jobs or world.waiting()
            world.time.advance(SECONDS[number % len(SECONDS)] if busy else A_DAY)
        elif step in ("go on", "finish", "kill", "end"):
            if world.jobs:
                self._one_at_work(step, world.jobs[number % len(world.jobs)], fault, answer)
        elif len(world.jobs) < MOST_JOBS:
            job = self._begun(step, number)
            if job is not None and whole:
                self._finish(job, answer)
        self.sound = True

    # What is always so; the store's double checks each call

    @invariant()
    def the_store_holds_what_was_written_last_and_nothing_that_was_erased(self) -> None:
        for activation_id in self.world.ids:
            self.world.store.get(activation_id)

    @invariant()
    def the_ledger_has_each_call_that_gemini_was_paid_for(self) -> None:
        lines = [line for line in self.logs if line["event"] == "gemini.usage"]
        assert sum(line["gemini_calls"] for line in lines) == self.world.paid

    @invariant()
    def nothing_needs_a_programmer(self) -> None:
        assert [line for line in self.logs if line["event"] == "sweep.failed"] == []

    def teardown(self) -> None:
        with self._open:
            try:
                if self.sound:
                    self._all_deadlines_pass_and_one_sweep_comes()
                    self._nothing_changes_any_more()
            finally:
                while self.world.jobs:
                    self.world.kill(self.world.jobs[0])

    def _all_deadlines_pass_and_one_sweep_comes(self) -> None:
        """The promise: then each has its step, unless it was cancelled or erased."""
        now = self.world.time.now()
        held = self.world.store.holds.values()
        late = max((one.activation.deadline for one in held), default=now)
        self.world.time.advance(max((late - now).total_seconds(), 0))
        self._finish(self.world.sweep())
        assert all(one.activation.done for one in self.world.store.holds.values())

    def _nothing_changes_any_more(self) -> None:
        """Whatever is still at work ends, but for the user's wishes; all messages come again."""
        before = dict(self.world.store.holds)
        for job in [job for job in self.world.jobs if job.actor.kind not in ("submit", "erasure")]:
            self._finish(job)
        for message in list(self.world.publisher.published):
            self._finish(self.world.deliver(message, self.world.workers[0]))
        assert self.world.store.holds == before

    def _one_at_work(self, step: str, job: Job, fault: str, answer: str) -> None:
        if step == "finish":
            self._finish(job, answer)
        elif step == "go on" and fault == "tried again":
            self._lose_the_answer(job)
        elif step == "go on":
            self._go_on(job, answer, fault)
        elif step == "end" and job.worker is not None:
            self.world.end(job.worker)
        else:
            self.world.kill(job)

    def _begun(self, step: str, number: int) -> Job | None:
        """None where there is nothing to be done of this kind."""
        world = self.world
        if step == "submit":
            return world.submit(again=number < 3)
        if step == "sweep":
            return world.sweep()
        if step == "erase" and number == 0:
            return world.erase_all()
        waiting = world.waiting()
        # Of those that wait: at the end all messages are delivered once more.
        published = world.publisher.published
        messages = [one for one in published if one.attributes["activation_id"] in waiting]
        if not messages:
            return world.submit(again=False) if step == "deliver" else None
        activation_id, message = (
            waiting[number % len(waiting)],
            messages[-1 - number % len(messages)],
        )
        begun = {
            "deliver": lambda: world.deliver(message, world.workers[number % 2]),
            "dead letter": lambda: world.dead_letter(message),
            "cancel": lambda: world.cancel(activation_id),
            "erase": lambda: world.erase(activation_id),
        }
        return begun[step]()

    def _finish(self, job: Job, answer: str = "step") -> None:
        while not job.work.ended:
            self._go_on(job, answer)

    def _go_on(self, job: Job, answer: str, fault: str = "none") -> None:
        call = job.work.call
        assert call is not None
        if call.name == "generate":
            self._plan(answer)
            self.world.go_on(job)
        else:
            self.world.go_on(job, with_fault(call, fault))

    def _lose_the_answer(self, job: Job) -> None:
        """Google's libraries try again, then: the second try is the job's next step."""
        call = job.work.call
        if call is not None and call.name in ("create", "replace", "publish"):
            self.world.store.actor = job.actor
            with suppress(StoreError):
                call.make()

    def _plan(self, answer: str) -> None:
        if answer == "pause":
            pause = Unavailable("told to", reason="quota", retry_after=37, usage=PAID)
            self.world.gemini.plan(pause)
        elif answer == "failure":
            self.world.gemini.plan(Unavailable("told to", usage=PAID))


def with_fault(call: Call, fault: str) -> Callable[[], Any]:
    refusal = PublishFailed if call.name == "publish" else StoreUnavailable

    def make() -> Any:
        answer = None if fault == "refused" else call.make()
        if fault != "none":
            raise refusal("told to")
        return answer

    return make
