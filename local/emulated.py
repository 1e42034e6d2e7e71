"""The pipeline on Google's emulators, with the production entry points under gunicorn."""

import os
import time
from collections.abc import Sequence

from local.banner import announce
from local.embedded import SWEEP_SECONDS
from local.emulators import FIRESTORE_PORT, PUBSUB_PORT, find_emulators, listens
from local.options import Options
from local.ports_in_use import LOOPBACK, refuse_taken
from local.processes import Child, stop_all
from local.services import gunicorn, ready_urls, worker_url
from local.subscription_keeper import SubscriptionKeeper
from local.subscriptions import Subscriptions
from local.supervisor import NotReady, Supervisor
from local.sweep_timer import SweepTimer
from shared.settings import Settings, read_settings

LISTEN_SECONDS = 60.0


def start_emulators(options: Options) -> list[Child]:
    """Running and listening, with their addresses in our environment, which children inherit.

    Raises SettingsError when they are not installed or a port is taken, and NotReady.
    """
    programs = find_emulators()
    for port, name in ((PUBSUB_PORT, "Pub/Sub emulator"), (FIRESTORE_PORT, "Firestore emulator")):
        refuse_taken(port, name, "nothing: stop what listens there")
    children = [
        programs.pubsub(PUBSUB_PORT, options.data_dir),
        programs.firestore(FIRESTORE_PORT, options.data_dir),
    ]
    try:
        for child in children:
            child.start()
        _wait_until_listening(children)
    except BaseException:
        stop_all(children, grace_seconds=0)
        raise
    os.environ["PUBSUB_EMULATOR_HOST"] = f"{LOOPBACK}:{PUBSUB_PORT}"
    os.environ["FIRESTORE_EMULATOR_HOST"] = f"{LOOPBACK}:{FIRESTORE_PORT}"
    return children


def emulated(options: Options) -> Supervisor:
    """With topics and push subscriptions created on the emulators, which are running."""
    settings = read_settings()
    subscriptions = Subscriptions(settings)

    def subscribe() -> None:
        subscriptions.create_topics()
        subscriptions.push_requests_to(worker_url(options, "/pubsub/push"))
        subscriptions.push_dead_letters_to(worker_url(options, "/pubsub/dead-letter"))

    subscribe()
    return Supervisor(
        children=[
            gunicorn("ingress", "ingress.main:app()", options.port),
            gunicorn("worker", "worker.main:app()", options.worker_port),
        ],
        ready_urls=ready_urls(options),
        background=[
            SweepTimer(worker_url(options, "/tasks/sweep"), interval_seconds=SWEEP_SECONDS),
            SubscriptionKeeper(subscriptions.are_missing, subscribe),
        ],
        announce=lambda: announce(options, settings, backend=_addresses(settings)),
    )


def _wait_until_listening(children: Sequence[Child]) -> None:
    end = time.monotonic() + LISTEN_SECONDS
    while not all(listens(port) for port in (PUBSUB_PORT, FIRESTORE_PORT)):
        for child in children:
            if child.exit_code() is not None:
                raise NotReady(f"the {child.name} ended; its log is {child.log}")
        if time.monotonic() > end:
            raise NotReady(f"the emulators did not listen within {LISTEN_SECONDS:g} s")
        time.sleep(0.1)


def _addresses(settings: Settings) -> str:
    return (
        f"Firestore emulator {settings.firestore_emulator_host}, "
        f"Pub/Sub emulator {settings.pubsub_emulator_host}, "
        f"project {settings.google_cloud_project}"
    )
