"""`python -m tests.chaos.outage`: Pub/Sub away for ten minutes while users submit.

On Google's emulators, with the production entry points and default settings. It prints how long
the backlog took to drain, who answered, and the latest answer after its deadline.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

from shared.domain.activation import Activation
from shared.ports import ActivationStore
from tests.chaos.campaign.worlds.emulated import Emulated
from tests.chaos.campaign.worlds.world import PROJECT
from tests.e2e.pipeline import GOOD
from tests.fake_gemini import FakeGemini, answer, late

SETTINGS = {
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "AUTH": "none",
    "ALLOW_UNAUTHENTICATED": "true",
    "GEMINI_API_KEY": "fake",
}
GEMINI_SECONDS = 1.0
LONGEST_DRAIN_SECONDS = 1800.0
LOOK_SECONDS = 1.0
PAGE = 100


def outage(minutes: float, a_minute: float, folder: Path) -> bool:
    """Whether everything accepted was answered, each with its own activation and in time."""
    with ExitStack() as stack:
        gemini = stack.enter_context(FakeGemini(default=late(GEMINI_SECONDS, answer())))
        world = Emulated(folder, {**SETTINGS, "GEMINI_API_ENDPOINT": gemini.url})
        stack.callback(world.stop)
        world.start()
        world.proxies["pubsub"].disturb("reset")
        accepted = _submit(world.url("ingress"), round(minutes * a_minute), 60 / a_minute)
        waiting = sum(not one.done for one in _everything(world.store()))
        world.proxies["pubsub"].heal()
        took = _drained(world.store())
        ended = list(_everything(world.store()))
    late_by = max((one.updated_at - one.deadline).total_seconds() for one in ended)
    sources = Counter(one.source if one.done else one.status for one in ended)
    _say(f"{minutes:g} minutes without Pub/Sub, {a_minute:g} a minute: {accepted} accepted")
    _say(f"waiting when it was back: {waiting}; all answered {took:.0f} s later")
    _say(f"answered by {dict(sources)}; calls of Gemini {len(gemini.calls)}")
    _say(f"the latest answer: {late_by:+.1f} s from its deadline")
    return len(ended) == accepted and all(one.status == "completed" for one in ended)


def _submit(url: str, number: int, every_seconds: float) -> int:
    """At an even rate, whatever each takes. How many were accepted."""
    began = time.monotonic()

    def one(index: int) -> bool:
        time.sleep(max(0.0, began + index * every_seconds - time.monotonic()))
        return requests.post(f"{url}/activations", json=GOOD, timeout=60).status_code == 202

    with ThreadPoolExecutor(32) as pool:
        return sum(pool.map(one, range(number)))


def _drained(store: ActivationStore) -> float:
    """Seconds until nothing waits."""
    began = time.monotonic()
    while any(not one.done for one in _everything(store)):
        if time.monotonic() > began + LONGEST_DRAIN_SECONDS:
            break
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _everything(store: ActivationStore) -> Iterator[Activation]:
    cursor: str | None = None
    while True:
        page = store.page("local", limit=PAGE, cursor=cursor)
        yield from (stored.activation for stored in page.items)
        cursor = page.cursor
        if cursor is None:
            return


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--a-minute", type=float, default=100.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if outage(asked.minutes, asked.a_minute, Path(folder)) else 1)


if __name__ == "__main__":
    main()
