"""The scenarios, and what one system does in one of them."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from bench.compare.gemini import CALLS, LATENCY
from bench.compare.load import Load, Seen
from bench.compare.processes import Usage, usage
from bench.compare.surroundings import Surroundings
from bench.compare.systems import INNER, SLOTS, Running, System
from tests import ROOT

CLIENTS = 200
"""More than SLOTS, so that every slot always has a next activation."""

SLOW_SECONDS, STEADY_SECONDS = 1.0, 0.2
"""Gemini's, in the scenarios `slots` and `steady`."""

WAIT = ", wait"
ARRIVALS_PER_SECOND = 5.0
WARM_UP = 128
"""Activations that are not counted: connections are opened, Java compiles."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    rounds: int
    crowds: tuple[int, ...]
    """Clients at once, the last of which is the table's."""
    crowd_seconds: float
    waves: int
    """So often is every slot used in `slots`."""
    arrivals: int


FULL = Plan(rounds=3, crowds=(1, 8, SLOTS), crowd_seconds=5, waves=16, arrivals=100)
QUICK = Plan(rounds=1, crowds=(8, SLOTS), crowd_seconds=1.5, waves=3, arrivals=20)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    gemini_seconds: float
    load: Mapping[str, Any]
    """Of a Load, all but its address and kind."""


def crowd(clients: int) -> str:
    return f"crowd of {clients}"


def scenarios(plan: Plan, system: System) -> Iterator[Scenario]:
    for clients in plan.crowds:
        load = {"clients": clients, "seconds": plan.crowd_seconds}
        yield Scenario(name=crowd(clients), gemini_seconds=0, load=load)
    lasts = plan.arrivals / ARRIVALS_PER_SECOND
    steady = {"per_second": ARRIVALS_PER_SECOND, "activations": plan.arrivals, "seconds": lasts}
    # The limit has no slots of its own: its clients are the slots.
    clients = SLOTS if system.asks == "gemini" else CLIENTS
    longest = 2 * plan.waves * SLOW_SECONDS
    slots = {"clients": clients, "activations": plan.waves * SLOTS, "seconds": longest}
    for name, seconds, load in (
        ("steady", STEADY_SECONDS, steady),
        ("slots", SLOW_SECONDS, {**slots, "grace_seconds": 0}),
    ):
        if system.can_wait:
            waiting = {**load, "wait": True}
            yield Scenario(name=f"{name}{WAIT}", gemini_seconds=seconds, load=waiting)
        yield Scenario(name=name, gemini_seconds=seconds, load=load)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One system in one scenario of one round. Times are in milliseconds."""

    system: str
    scenario: str
    round: int
    activations: int
    per_second: float
    accepted: list[float]
    """From the POST until its answer."""
    to_gemini: list[float]
    """From the POST until Gemini is asked."""
    overhead: list[float]
    """From the POST until the client knows that it is done, without Gemini's own time."""
    cpu: dict[str, float]
    """By process, seconds per 1,000 activations."""
    rss: dict[str, float]
    """By process, MiB at the end."""
    gemini_calls: int
    busy: int
    """Answers of 503, after which the client asked again."""
    cores: dict[str, float]
    """Of the load generator and the fake Gemini: how much of a core they used."""


def measure(
    system: System, around: Surroundings, plan: Plan, number: int, folder: Path
) -> Iterator[Measured]:
    """Round `number` of one system, which is started for it and then stopped."""
    with system.running(around, folder) as running:
        warm_up = Load(
            url=running.url, asks=system.asks, clients=8, activations=WARM_UP, seconds=60
        )
        set_latency(around, 0)
        generate(warm_up)
        for index, scenario in enumerate(scenarios(plan, system)):
            # Numbers of its own: what an earlier scenario has left may still be under way.
            load = Load(
                url=running.url,
                asks=system.asks,
                first=(index + 1) * WARM_UP * 1000,
                **scenario.load,
            )
            yield measure_scenario(system, scenario, load, around, running, number)


def measure_scenario(
    system: System,
    scenario: Scenario,
    load: Load,
    around: Surroundings,
    running: Running,
    number: int,
) -> Measured:
    set_latency(around, scenario.gemini_seconds)
    used = ("gemini", system.needs)
    roots = {**running.roots, **{name: around.roots[name] for name in used if name}}
    before = usage(roots, INNER)
    seen = generate(load)
    after = usage(roots, INNER)
    seconds = time.monotonic() - seen.began
    asked = [call for call in calls(around) if call[0] >= load.first]
    first = dict(reversed(asked))
    return Measured(
        system=system.name,
        scenario=scenario.name,
        round=number,
        activations=len(seen.activations),
        per_second=throughput(seen, load.seconds),
        accepted=[(accepted - posted) * 1000 for _, posted, accepted, _ in seen.activations],
        to_gemini=[
            (first[number] - posted) * 1000
            for number, posted, _, _ in seen.activations
            if number in first
        ],
        overhead=[
            (done - posted - scenario.gemini_seconds) * 1000
            for _, posted, _, done in seen.activations
        ],
        cpu=per_thousand(before, after, len(seen.activations)),
        rss=dict(after.rss),
        gemini_calls=len(asked),
        busy=seen.busy,
        cores={
            "load": seen.cpu_seconds / seconds,
            "gemini": (after.cpu["gemini"] - before.cpu["gemini"]) / seconds,
        },
    )


def throughput(seen: Seen, seconds: float) -> float:
    """Activations a second that were done within `seconds`, or until the last one, if sooner."""
    done = [at - seen.began for _, _, _, at in seen.activations if at - seen.began <= seconds]
    return len(done) / max(done) if done else 0.0


def per_thousand(before: Usage, after: Usage, activations: int) -> dict[str, float]:
    return {
        name: 1000 * (used - before.cpu.get(name, 0.0)) / max(1, activations)
        for name, used in after.cpu.items()
    }


def generate(load: Load) -> Seen:
    """By a process of its own. Raises subprocess.CalledProcessError."""
    argv = [sys.executable, "-m", "bench.compare.load", json.dumps(asdict(load))]
    ended = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return Seen(**json.loads(ended.stdout))


def set_latency(around: Surroundings, seconds: float) -> None:
    requests.post(f"{around.gemini}{LATENCY}{seconds:g}", json={}, timeout=10).raise_for_status()


def calls(around: Surroundings) -> list[tuple[int, float]]:
    """The number of each activation that Gemini was asked for, and when; since the last look."""
    asked: list[tuple[int, float]] = requests.post(
        f"{around.gemini}{CALLS}", json={}, timeout=10
    ).json()
    return asked
