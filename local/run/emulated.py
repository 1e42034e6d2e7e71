"""The pipeline on Google's emulators, with the production services."""

import os
from collections.abc import Sequence

from google.api_core.exceptions import GoogleAPIError

from local.emulators.programs import find_emulators, wait_until_listening
from local.emulators.subscriptions import Subscriptions, keeping_subscribed
from local.periodic import sweeping
from local.run.banner import announce
from local.run.options import Options
from local.run.ports_in_use import LOOPBACK, refuse_taken
from local.run.processes import Child, NotReady, stop_all
from local.run.services import ready_urls, services, worker_url
from local.run.supervisor import Supervisor
from shared.errors import SettingsError
from shared.settings import Settings, read_settings


def start_emulators(options: Options) -> list[Child]:
    """Running and listening, with their addresses in our environment, which children inherit.

    Raises SettingsError when they are not installed or a port is taken, and NotReady.
    """
    programs = find_emulators()
    refuse_taken(options.pubsub_port, "Pub/Sub emulator", "--pubsub-port")
    refuse_taken(options.firestore_port, "Firestore emulator", "--firestore-port")
    try:
        children = [
            programs.pubsub(options.pubsub_port, options.data_dir),
            programs.firestore(options.firestore_port, options.data_dir),
        ]
    except OSError as error:
        raise SettingsError(
            f"--data-dir {options.data_dir}: expected a folder that can be written "
            f"({error.strerror})"
        ) from None
    try:
        for child in children:
            child.start()
        wait_until_listening(children, (options.pubsub_port, options.firestore_port))
    except BaseException:
        stop_all(children, grace_seconds=0)
        raise
    # gRPC would go through an http_proxy even to loopback; this is how it spells the exception.
    os.environ["no_grpc_proxy"] = LOOPBACK  # noqa: SIM112
    os.environ["PUBSUB_EMULATOR_HOST"] = f"{LOOPBACK}:{options.pubsub_port}"
    os.environ["FIRESTORE_EMULATOR_HOST"] = f"{LOOPBACK}:{options.firestore_port}"
    return children


def emulated(options: Options, emulators: Sequence[Child]) -> Supervisor:
    """With topics and push subscriptions created on the emulators, which are running.

    Raises NotReady when they refuse them.
    """
    settings = read_settings()
    subscriptions = Subscriptions(settings)
    try:
        subscriptions.push_to(worker_url(options, ""))
    except GoogleAPIError as error:
        raise NotReady(f"the Pub/Sub emulator refused our subscriptions: {error}") from None
    return Supervisor(
        children=services(options),
        ready_urls=ready_urls(options),
        background=[
            sweeping(worker_url(options, "")),
            keeping_subscribed(subscriptions, worker_url(options, "")),
        ],
        announce=lambda: announce(options, settings, backend=_addresses(settings)),
        needs=emulators,
    )


def _addresses(settings: Settings) -> str:
    return (
        f"Firestore emulator {settings.firestore_emulator_host}, "
        f"Pub/Sub emulator {settings.pubsub_emulator_host}, "
        f"project {settings.google_cloud_project}"
    )
