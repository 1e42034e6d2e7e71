"""SIGTERM while fifty claims are being written to a slow store: the claim whose write returns after
the others were given back is given back as well, and nobody calls Gemini for it."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from shared.clock import utc_now
from shared.domain.messages import encode
from shared.google.adapters import google_adapters
from shared.ports import ActivationStore
from shared.settings import Settings
from tests import ROOT
from tests.builders import an_activation
from tests.chaos.campaign.proxy import Proxy
from tests.e2e.pipeline import CLOUD_RUN_KILLS_AFTER_SECONDS, clean_environment
from tests.fake_gemini import FakeGemini, answer, late
from tests.http.pushes import envelope
from tests.support.emulators import GoogleEmulators, free_port
from tests.support.eventually import eventually

FIFTY = 50
SECONDS_UNTIL_SIGTERM = 3.0
GEMINI_SECONDS = 6.0
"""Some calls end within the grace of the drain, and those that begin late do not."""


def test_none_is_left_held_and_none_is_called_after_its_claim_was_given_back(
    emulators: GoogleEmulators, tmp_path: Path
) -> None:
    with emulators.found_by_libraries():
        store, _ = google_adapters(Settings(google_cloud_project="fifty", auth="none"))
    firestore = int(emulators.firestore_host.rpartition(":")[2])
    slow_gemini = late(GEMINI_SECONDS, answer())
    with FakeGemini(default=slow_gemini) as gemini, Proxy(firestore) as proxy:
        bodies = [_created(store, number) for number in range(FIFTY)]
        with _worker(emulators, gemini, proxy, tmp_path) as (worker, url):
            proxy.disturb("latency")
            with ThreadPoolExecutor(FIFTY) as pool:
                pushed = [pool.submit(_push, url, body) for body in bodies]
                time.sleep(SECONDS_UNTIL_SIGTERM)
                worker.send_signal(signal.SIGTERM)
                code = worker.wait(CLOUD_RUN_KILLS_AFTER_SECONDS)
            statuses = Counter(future.result() for future in pushed)
        states = Counter(_state(store, number) for number in range(FIFTY))
        seen = f"pushes {dict(statuses)}, states {dict(states)}, calls {len(gemini.calls)}"
        assert code == 0
        assert states["processing"] == 0, seen
        # A push whose answer is lost is delivered again, and finds the activation done.
        assert statuses[204] <= states["completed"], seen
        assert len(gemini.calls) <= FIFTY, seen
        interrupted = len(gemini.calls) - states["completed"]

        # The next instance takes up what was given back, and pays for each at most once more.
        proxy.heal()
        gemini.default = answer()
        with _worker(emulators, gemini, proxy, tmp_path) as (worker, url):
            for number in range(FIFTY):
                stored = store.get(f"fifty-{number}")
                assert stored is not None
                if not stored.activation.done:
                    message = encode(stored.activation, stored.version)
                    assert _push(url, envelope(message)) == 204
        assert Counter(_state(store, number) for number in range(FIFTY)) == {"completed": FIFTY}
        assert len(gemini.calls) <= FIFTY + interrupted


def _created(store: ActivationStore, number: int) -> dict[str, object]:
    stored = store.create(an_activation(f"fifty-{number}", now=utc_now()))
    return envelope(encode(stored.activation, stored.version), str(number))


def _state(store: ActivationStore, number: int) -> str:
    stored = store.get(f"fifty-{number}")
    return stored.activation.status if stored else "gone"


def _push(url: str, body: dict[str, object]) -> int:
    try:
        return requests.post(f"{url}/pubsub/push", json=body, timeout=60).status_code
    except requests.ConnectionError:
        return 0


@contextmanager
def _worker(
    emulators: GoogleEmulators, gemini: FakeGemini, proxy: Proxy, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The production worker, which reaches Firestore through the proxy."""
    port = free_port()
    environment = {
        **clean_environment(),
        **emulators.environment,
        "GOOGLE_CLOUD_PROJECT": "fifty",
        "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{proxy.port}",
        "ALLOW_UNAUTHENTICATED": "true",
        "PORT": str(port),
        "WEB_THREADS": str(FIFTY),
        "GEMINI_API_KEY": "fake",
        "GEMINI_API_ENDPOINT": gemini.url,
    }
    argv = [sys.executable, "-m", "worker"]
    url = f"http://127.0.0.1:{port}"
    with (
        (folder / "worker.log").open("ab") as log,
        subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=log, stderr=log) as worker,
    ):
        try:
            eventually(lambda: _lives(url), what="the worker")
            yield worker, url
        finally:
            worker.kill()


def _lives(url: str) -> bool:
    try:
        return requests.get(f"{url}/livez", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
