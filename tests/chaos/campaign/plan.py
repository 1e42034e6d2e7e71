"""What clients do and which faults come when: all of it from the seed, nothing else.

Faults that excuse a late answer (the worker, its supervisor or the store is away) come in storms;
between two storms there is more than one undisturbed interval of the sweep, so that the promise
"by the deadline plus one sweep" can be judged. All other faults come at any time.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Backend = Literal["embedded", "emulators"]
Then = Literal["nothing", "cancel", "erase", "erase all", "peek", "list"]

BACKENDS: tuple[Backend, ...] = ("embedded", "emulators")
USERS = ("anna", "bo", "cecilia", "david")
FORGETFUL = "edit"
"""The user who erases everything now and then."""

SWEEP_SECONDS = 15.0
"""Between two sweeps of a local run (DESIGN.md, section 3)."""

MARGIN_SECONDS = 5.0
"""A sweep takes a moment, and this machine may be busy."""

STORM_SECONDS, QUIET_SECONDS = 15.0, SWEEP_SECONDS + MARGIN_SECONDS + 5.0
CALM_SECONDS = 4.0
"""Before the first fault."""

OUTAGES: dict[Backend, tuple[str, ...]] = {
    "embedded": (
        *("kill worker", "terminate worker", "stop worker", "kill supervisor", "lock database"),
        *("fill disk", "terminate supervisor", "stop supervisor"),
    ),
    "emulators": (
        *("kill worker", "terminate worker", "stop worker", "restart firestore", "stop firestore"),
        *("proxy firestore latency", "proxy firestore reset", "proxy firestore black hole"),
        *("proxy firestore half open", "proxy firestore cut"),
    ),
}
_PROCESSES = (
    *("kill ingress", "terminate ingress", "stop ingress", "kill second worker"),
    *("stop second worker", "poison", "poison queue"),
)
_EVERYWHERE = (
    *_PROCESSES,
    *_PROCESSES,  # twice as often as each of Gemini's, whose breaker makes each of them last longer
    *("gemini quota", "gemini overloaded"),
    *("proxy gemini latency", "proxy gemini reset", "proxy gemini black hole"),
    *("proxy gemini half open", "proxy gemini cut"),
)
OTHERS: dict[Backend, tuple[str, ...]] = {
    "embedded": _EVERYWHERE,
    "emulators": (
        *_EVERYWHERE,
        *("kill pubsub", "stop pubsub", "proxy pubsub latency", "proxy pubsub reset"),
        *("proxy pubsub black hole", "proxy pubsub half open", "proxy pubsub cut"),
        *("proxy push latency", "proxy push reset", "proxy push cut"),
    ),
}
BEYOND_THE_LEASE_SECONDS = 33.0
"""So long the second worker is stopped: its claims are taken over before it wakes up."""

_MARKER = re.compile(r"zq\d{5}q")


def marker_of(number: int) -> str:
    """In the goal, and in Gemini's answer to it: tells whose words are whose."""
    return f"zq{number:05d}q"


def markers_in(text: str) -> set[str]:
    return set(_MARKER.findall(text))


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One client's way with one activation. Times in seconds since the campaign's start."""

    number: int
    at: float
    user: str
    mood: int
    sends: int
    """How often the request is sent; more than once only with an Idempotency-Key."""
    keyed: bool
    at_once: bool
    wait: int | None
    deadline_seconds: int | None
    """Of the request's own, where the API takes it."""
    first_frontend: bool
    then: Then
    after: float

    @property
    def marker(self) -> str:
        return marker_of(self.number)


@dataclass(frozen=True, kw_only=True)
class Fault:
    at: float
    kind: str
    seconds: float

    @property
    def target(self) -> str:
        """No two faults of one target at once; nor two outages."""
        words = self.kind.split()
        return words[1] if words[0] == "proxy" else words[-1]

    @property
    def excuses(self) -> bool:
        return any(self.kind in kinds for kinds in OUTAGES.values())


@dataclass(frozen=True, kw_only=True)
class Plan:
    backend: Backend
    seed: int
    seconds: float
    journeys: tuple[Journey, ...]
    faults: tuple[Fault, ...]


def plan_of(backend: Backend, *, seed: int, number: int, seconds: float) -> Plan:
    """`seconds` is how long clients submit and faults come."""
    return Plan(
        backend=backend,
        seed=seed,
        seconds=seconds,
        journeys=tuple(_journeys(random.Random(f"journeys {seed}"), number, seconds)),
        faults=tuple(
            sorted(_faults(random.Random(f"faults {seed}"), backend, seconds), key=lambda f: f.at)
        ),
    )


def _journeys(dice: random.Random, number: int, seconds: float) -> Iterator[Journey]:
    for index, at in enumerate(sorted(dice.uniform(0, seconds) for _ in range(number))):
        keyed = dice.random() < 0.4
        first_frontend = dice.random() < 0.05
        user = dice.choice((*USERS, FORGETFUL))
        usual: Then = dice.choices(
            ("nothing", "cancel", "erase", "peek", "list"), (80, 6, 4, 5, 5)
        )[0]
        yield Journey(
            number=index,
            at=at,
            user=user,
            mood=dice.randint(1, 5),
            sends=dice.randint(1, 5) if keyed else 1,
            keyed=keyed,
            at_once=dice.random() < 0.5,
            wait=dice.choice((1, 3, 5)) if dice.random() < 0.2 else None,
            deadline_seconds=dice.randint(10, 50) if dice.random() < 0.4 else None,
            first_frontend=first_frontend,
            then="erase all" if user == FORGETFUL and dice.random() < 0.05 else usual,
            after=dice.choice((0.0, dice.uniform(0, 0.3), dice.uniform(0.3, 3))),
        )


def _faults(dice: random.Random, backend: Backend, seconds: float) -> Iterator[Fault]:
    outages, others = _deck(dice, OUTAGES[backend]), _deck(dice, OTHERS[backend])
    at = CALM_SECONDS
    while at < seconds - MARGIN_SECONDS:
        end = min(at + STORM_SECONDS, seconds)
        while at < end:
            yield _fault(dice, at, next(outages))
            at += dice.uniform(4, 7)
        at = end + QUIET_SECONDS
    at = CALM_SECONDS / 2
    while at < seconds:
        yield _fault(dice, at, next(others))
        at += dice.uniform(1.5, 3.5)


def _fault(dice: random.Random, at: float, kind: str) -> Fault:
    seconds = dice.uniform(1.5, 5)
    if kind == "stop second worker":
        seconds = BEYOND_THE_LEASE_SECONDS
    elif "gemini" in kind:
        seconds /= 3  # the breaker takes each for longer
    return Fault(at=at, kind=kind, seconds=seconds)


def _deck(dice: random.Random, kinds: tuple[str, ...]) -> Iterator[str]:
    """Each kind comes before any comes again."""
    while True:
        yield from dice.sample(kinds, len(kinds))
