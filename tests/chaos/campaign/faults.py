"""Carry out the planned faults on the running system, and note when each was felt."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tests.chaos.campaign.gemini import STORMS, CampaignGemini
from tests.chaos.campaign.history import History, Window, WorkerEnd
from tests.chaos.campaign.messages import Duplicator, broken_envelopes, poison
from tests.chaos.campaign.plan import Fault, Plan
from tests.chaos.campaign.proxy import Mode, Proxy
from tests.chaos.campaign.worlds.embedded import Embedded
from tests.chaos.campaign.worlds.emulated import Emulated
from tests.chaos.campaign.worlds.world import World

SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "stop": signal.SIGSTOP}
AT_ONCE = 32
GONE_SECONDS = 20.0
"""A worker that was asked to end drains for 9 s."""

MOST_BEHIND_SECONDS = 4.0
"""A fault that can't come in time, because the one before lasts, is left out."""


@dataclass
class Faults:
    world: World
    gemini: CampaignGemini
    gemini_proxy: Proxy
    duplicator: Duplicator
    history: History
    plan: Plan
    _one_at_a_time: dict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def run(self, start: float) -> None:
        """Each at its time after `start`; returns when the last is over. Raises what a fault could
        not do."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fault") as pool:
            under_way = []
            for fault in self.plan.faults:
                time.sleep(max(0.0, start + fault.at - time.time()))
                under_way.append(pool.submit(self._carry_out, fault, start))
            for one in under_way:
                one.result()

    def _carry_out(self, fault: Fault, start: float) -> None:
        names = {"outage" if fault.excuses else fault.target}
        if fault.target == "supervisor":
            names.add("ingress")  # a local run gives up when a part ends while it starts
        with ExitStack() as stack:
            for name in sorted(names):
                stack.enter_context(self._one_at_a_time[name])
            began = time.time()
            if began - start - fault.at > MOST_BEHIND_SECONDS:
                return
            self._inject(fault)
            self._note(fault, began)

    def _note(self, fault: Fault, began: float) -> None:
        window = Window(what=fault.kind, start=began, end=time.time(), excuses=fault.excuses)
        self.history.windows.append(window)

    def _inject(self, fault: Fault) -> None:
        verb, _, target = fault.kind.partition(" ")
        if verb == "proxy":
            name, _, mode = target.partition(" ")
            self._disturb(name, cast(Mode, mode), fault.seconds)
        elif verb == "gemini":
            self._storm(fault)
        elif fault.kind == "restart firestore":
            cast(Emulated, self.world).restart_firestore()
            self.world.wait_until_ready("worker")
        elif fault.kind == "lock database":
            cast(Embedded, self.world).lock_database(lambda: time.sleep(fault.seconds + 3))
        elif fault.kind == "fill disk":
            cast(Embedded, self.world).fill_disk(lambda: time.sleep(fault.seconds))
        elif verb == "poison":
            self._poison(fault, queue=bool(target))
        elif verb == "stop":
            self._stop(target, fault.seconds)
        else:
            self._end(target, SIGNALS[verb])

    def _disturb(self, name: str, mode: Mode, seconds: float) -> None:
        proxy = self.gemini_proxy if name == "gemini" else self.world.proxies[name]
        proxy.disturb(mode)
        try:
            time.sleep(seconds)
        finally:
            proxy.heal()

    def _storm(self, fault: Fault) -> None:
        self.gemini.storm = STORMS[fault.kind]
        try:
            time.sleep(fault.seconds)
        finally:
            self.gemini.storm = None

    def _poison(self, fault: Fault, *, queue: bool) -> None:
        messages = poison(self.duplicator.last)
        if queue:
            dice = random.Random(f"poison {self.plan.seed} {fault.at}")
            for message in dice.sample(messages, 2):
                self.duplicator.publish(message)
            return
        worker = self.world.url("worker")
        for body in broken_envelopes():
            self.duplicator.post(body, worker)
        for message in messages:
            self.duplicator.push(message, worker)

    def _stop(self, target: str, seconds: float) -> None:
        pids = self.world.pids(target)
        _signal(pids, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            _signal(pids, signal.SIGCONT)

    def _end(self, target: str, number: signal.Signals) -> None:
        asked_at = time.time()
        workers = [name for name in ("worker", "second worker") if name in self._felt_by(target)]
        going = {name: self.world.pids(name) for name in {target, *workers}}
        _signal(going[target], number)
        for name in workers:
            self._wait_until_gone(going[name])
            self.history.worker_ends.append(
                WorkerEnd(worker=name, asked_at=asked_at, at=time.time())
            )
        self._wait_until_gone(going[target])
        if target == "supervisor":
            cast(Embedded, self.world).restart_supervisor()
        self.world.wait_until_ready(*set(self._felt_by(target)).intersection(self.world.ports))

    def _felt_by(self, target: str) -> tuple[str, ...]:
        return ("ingress", "worker") if target == "supervisor" else (target,)

    def _wait_until_gone(self, pids: list[int]) -> None:
        end = time.time() + GONE_SECONDS
        while any(map(_runs, pids)) and time.time() < end:
            time.sleep(0.02)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _runs(pid: int) -> bool:
    """A zombie does not: it waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
