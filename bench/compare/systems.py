"""The systems that are compared: what each needs, and how its processes are started."""

import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.compare.load import Asks
from bench.compare.surroundings import Need, Surroundings, free_port
from local.emulators.subscriptions import Subscriptions
from local.run.processes import Child, NotReady, stop_all
from shared.settings import Settings

SLOTS = 64
"""Calls of Gemini at once that each system may have under way."""

READY_SECONDS = 60.0
GRACE_SECONDS = 12.0
PULL = "from worker.pull import main; raise SystemExit(main('127.0.0.1'))"
"""`python -m worker.pull`, which would answer probes from everywhere."""

KEY = {"GEMINI_API_KEY": "fake"}


@dataclass(frozen=True)
class Running:
    url: str
    roots: Mapping[str, list[int]]
    """By name, the processes that were started."""


Start = Callable[[Surroundings, int, Path], list[Child]]
"""From the port of the web server, and a folder for data: the processes."""


@dataclass(frozen=True, kw_only=True)
class System:
    name: str
    start: Start
    asks: Asks = "queue"
    needs: Need | None = None
    can_wait: bool = False
    """Whether it knows `Prefer: wait`."""

    @contextmanager
    def running(self, around: Surroundings, folder: Path) -> Iterator[Running]:
        """Raises NotReady."""
        port = free_port()
        folder.mkdir(parents=True)
        children = self.start(around, port, folder)
        url = f"http://127.0.0.1:{port}" if children else around.gemini
        try:
            for child in children:
                child.start()
            wait_until_ready(url, children)
            yield Running(url, {child.name: [child.pid or 0] for child in children})
        finally:
            stop_all(children, grace_seconds=GRACE_SECONDS)


def wait_until_ready(url: str, children: list[Child]) -> None:
    """Until the web server answers anything. Raises NotReady."""
    end = time.monotonic() + READY_SECONDS
    while children:
        for child in children:
            if child.exit_code() is not None:
                raise NotReady(f"the {child.name} ended; its log is {child.log}")
        try:
            requests.get(f"{url}/livez", timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > end:
                raise NotReady(f"{url} was not ready within {READY_SECONDS:g} s") from None
            time.sleep(0.1)
        else:
            return


def python(around: Surroundings, name: str, folder: Path, *argv: str, **environment: str) -> Child:
    return Child(
        name=name,
        argv=[around.python, *argv],
        env={**around.environment, "SLOTS": str(SLOTS), **environment},
        log=folder / f"{name}.log",
        cwd=folder,
    )


def nothing(_: Surroundings, __: int, ___: Path) -> list[Child]:
    return []


def synchronous(around: Surroundings, port: int, folder: Path) -> list[Child]:
    return [python(around, "web", folder, "-m", "bench.peers.synchronous", str(port))]


def with_dramatiq(around: Surroundings, port: int, folder: Path) -> list[Child]:
    peer = "bench.peers.with_dramatiq"
    threads = ("--processes", "1", "--threads", str(SLOTS))
    return [
        python(around, "web", folder, "-m", peer, str(port)),
        python(around, "worker", folder, "-m", "dramatiq", peer, *threads),
    ]


def with_celery(around: Surroundings, port: int, folder: Path) -> list[Child]:
    peer = "bench.peers.with_celery"
    threads = ("--pool", "threads", "--concurrency", str(SLOTS), "--loglevel", "warning")
    return [
        python(around, "web", folder, "-m", peer, str(port)),
        python(around, "worker", folder, "-m", "celery", "--app", peer, "worker", *threads),
    ]


def naive_pubsub(around: Surroundings, port: int, folder: Path) -> list[Child]:
    peer, project = "bench.peers.naive_pubsub", {"GOOGLE_CLOUD_PROJECT": new_project()}
    push = str(free_port())
    return [
        python(around, "web", folder, "-m", peer, str(port), push, **project),
        python(around, "worker", folder, "-m", peer, push, **project),
    ]


def embedded(around: Surroundings, port: int, folder: Path) -> list[Child]:
    ports = ("--port", str(port), "--worker-port", str(free_port()))
    # Half as many pushes at once as the worker has threads: local/run/embedded.py.
    threads = {"WEB_THREADS": str(2 * SLOTS)}
    argv = ("-m", "local", *ports, "--data-dir", str(folder / "data"))
    return [python(around, "dispatcher", folder, *argv, **KEY, **threads)]


def emulated(around: Surroundings, port: int, folder: Path) -> list[Child]:
    """Google's emulator pushes two messages at a time: so the worker pulls. It must be found in
    this process' environment, too."""
    project = new_project()
    settings = Settings(google_cloud_project=project, auth="none")
    subscriptions = Subscriptions(settings)
    subscriptions.create_topics()
    subscriptions.pull_requests(settings.pubsub_subscription)
    subscriptions.pull_dead_letters(settings.pubsub_dead_letter_subscription)
    subscriptions.close()
    ours = {
        "GOOGLE_CLOUD_PROJECT": project,
        "AUTH": "none",
        "ALLOW_UNAUTHENTICATED": "true",
        "WEB_THREADS": str(SLOTS),
        **KEY,
    }
    ingress = {**ours, "PORT": str(port)}
    return [
        python(around, "web", folder, "-m", "local.apps", "ingress", **ingress),
        python(around, "worker", folder, "-c", PULL, **ours, PORT=str(free_port())),
    ]


def new_project() -> str:
    return f"bench-{uuid.uuid4().hex[:8]}"


INNER = {"local.apps ingress": "web", "local.apps worker": "worker"}
"""What `python -m local` starts, by the names that the peers' processes have."""

LIMIT = System(name="limit: Gemini alone", asks="gemini", start=nothing)
OURS = System(name="ours, embedded", start=embedded, can_wait=True)
SYSTEMS = (
    LIMIT,
    System(name="Gemini inside the request", asks="synchronous", start=synchronous),
    System(name="Flask + dramatiq + Redis", start=with_dramatiq, needs="redis"),
    System(name="Flask + Celery + Redis", start=with_celery, needs="redis"),
    System(name="naive Pub/Sub + Firestore", start=naive_pubsub, needs="emulator"),
    OURS,
    System(name="ours, emulators", start=emulated, needs="emulator", can_wait=True),
)


def present(systems: Sequence[System], around: Surroundings) -> Iterator[System]:
    """Those that have what they need. Of the others a line says what is missing."""
    for system in systems:
        if system.needs is not None and system.needs in around.missing:
            print(f"skipped {system.name}: {around.missing[system.needs]}", file=sys.stderr)
        else:
            yield system
