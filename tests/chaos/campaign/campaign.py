"""One campaign from start to verdict."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

from shared.ports import ActivationStore, Stored
from tests.chaos.campaign.auditor import Findings, audit, latest_moment
from tests.chaos.campaign.clients import Clients
from tests.chaos.campaign.faults import Faults
from tests.chaos.campaign.gemini import CampaignGemini
from tests.chaos.campaign.history import EndState, History, ledger_of, tracebacks_in
from tests.chaos.campaign.messages import Duplicator
from tests.chaos.campaign.plan import FORGETFUL, USERS, Backend, Plan
from tests.chaos.campaign.proxy import Proxy
from tests.chaos.campaign.report import table, write
from tests.chaos.campaign.worlds.embedded import Embedded
from tests.chaos.campaign.worlds.emulated import Emulated
from tests.chaos.campaign.worlds.world import PROJECT, World
from tests.support.google_keys import GoogleKeys

SETTINGS = {
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "AUTH": "firebase",
    "FIREBASE_PROJECT_ID": PROJECT,
    "ALLOW_UNAUTHENTICATED": "true",
    "DAILY_LIMIT_PER_USER": "0",
    "BURST_LIMIT_PER_USER": "0",
    "BURST_LIMIT_PER_ADDRESS": "0",
    "ACTIVATION_DEADLINE_SECONDS": "60",
    "SYNC_WAIT_SECONDS": "5",
    # Gemini refuses deadlines under 10 s; the lease is the budget (2 × 11 + 2 s) and a little.
    "GEMINI_TIMEOUT_SECONDS": "11",
    "GEMINI_MAX_ATTEMPTS": "2",
    "GEMINI_MAX_SLEEP_SECONDS": "2",
    "GEMINI_BREAKER_FAILURES": "10",
    "GEMINI_BREAKER_SECONDS": "2",
    "LEASE_SECONDS": "30",
    "GEMINI_API_KEY": "worker",
}
"""Short times, so that every deadline passes within minutes."""

SLOWEST_SECONDS: dict[Backend, float] = {"embedded": 3.0, "emulators": 0.1}
"""Gemini's usual answers. Google's emulator pushes two messages at a time."""

PAGE = 100
LOOK_SECONDS = 2.0
HELD_SECONDS = 5.0


def campaign(plan: Plan, folder: Path) -> Findings:
    """What went wrong, by kind; the report is written into `folder`, and its table printed."""
    said = f"seed {plan.seed}: {len(plan.journeys)} activations, {len(plan.faults)} faults"
    _say(f"{said} in {plan.seconds:g} s on {plan.backend}; report and logs in {folder}")
    history = History()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ))
        keys = stack.enter_context(GoogleKeys())
        gemini = CampaignGemini(plan.seed, slowest_seconds=SLOWEST_SECONDS[plan.backend])
        stack.enter_context(gemini)
        proxy = stack.enter_context(Proxy(int(gemini.url.rpartition(":")[2])))
        settings = {
            **SETTINGS,
            "AUTH_JWKS_URL": keys.url,
            "GEMINI_API_ENDPOINT": f"http://127.0.0.1:{proxy.port}",
        }
        os.environ.update(settings)
        world = stack.enter_context(_running(plan, folder, settings, history))
        clients = Clients(world.url("ingress"), history, _tokens(keys))
        workers = [world.url("worker"), world.url("second worker")]
        duplicator = Duplicator(world, workers, world.publisher(), history, plan.seed)
        faults = Faults(world, gemini, proxy, duplicator, history, plan)
        start = time.time()
        _play(plan, clients, faults, start)
        _settle(world, history)
        duplicator.stop()
        gemini.released.set()
        clients.look_once_more()
        history.stored = {
            stored.activation.activation_id: EndState.stored(stored.activation)
            for stored in _everything(world.store())
        }
        history.calls = list(gemini.served)
    findings = audit(history)
    write(folder, plan, history, findings, start)
    _say(table(plan, history, findings, world.notes))
    return findings


@contextmanager
def _running(
    plan: Plan, folder: Path, settings: Mapping[str, str], history: History
) -> Iterator[World]:
    """The world; when it has stopped, what its logs say and what it left behind is noted."""
    made = (Embedded if plan.backend == "embedded" else Emulated)(folder, settings)
    try:
        made.start()
        yield made
    finally:
        made.resume()
        made.stop()
        history.left_behind += made.processes_left()
        for name, file in made.logs().items():
            history.ledger += ledger_of(file, name)
        history.tracebacks += tracebacks_in(made.logs().values())


def _play(plan: Plan, clients: Clients, faults: Faults, start: float) -> None:
    """Clients, duplicates and faults, side by side."""
    faults.duplicator.start()
    with ThreadPoolExecutor(1) as pool:
        injecting = pool.submit(faults.run, start)
        clients.run(plan, start)
        injecting.result()


def _settle(world: World, history: History) -> None:
    """Until nothing is open any more, or the last deadline is over and nothing excuses more."""
    outages = [window for window in history.windows if window.excuses]
    store = world.store()
    while True:
        still_open = [one.activation for one in _everything(store) if not one.activation.done]
        latest = [latest_moment(one.deadline.timestamp(), outages) for one in still_open]
        if not still_open or time.time() > max(latest) + HELD_SECONDS:
            return
        time.sleep(LOOK_SECONDS)


def _everything(store: ActivationStore) -> Iterator[Stored]:
    for user in (*USERS, FORGETFUL):
        cursor: str | None = None
        while True:
            page = store.page(user, limit=PAGE, cursor=cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                break


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tokens(keys: GoogleKeys) -> Callable[[str], str]:
    made: dict[str, str] = {}
    for user in (*USERS, FORGETFUL):
        claims = {
            "aud": PROJECT,
            "iss": f"https://securetoken.google.com/{PROJECT}",
            "sub": user,
            "auth_time": int(time.time()) - 10,
        }
        made[user] = keys.sign(claims)
    return made.__getitem__
