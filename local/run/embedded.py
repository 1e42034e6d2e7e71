"""The pipeline on SQLite: ingress and worker as processes, dispatcher and sweep timer here."""

from datetime import timedelta

from local.periodic import sweeping
from local.run.banner import announce
from local.run.options import Options
from local.run.services import ready_urls, services, worker_url
from local.run.supervisor import Supervisor
from local.sqlite.database import open_database
from local.sqlite.dispatcher import Dispatcher, PushPolicy
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.errors import SettingsError, StoreUnavailable
from shared.settings import Settings

ACK_DEADLINE_MARGIN_SECONDS = 30.0
"""The ack deadline is longer than the lease, so that a slow answer is not delivered twice."""


def embedded(options: Options, settings: Settings) -> Supervisor:
    """Raises SettingsError when the data folder can't be used."""
    try:
        database = open_database(options.data_dir)
    except StoreUnavailable as error:
        raise SettingsError(
            f"--data-dir {options.data_dir}: expected a folder that can be written ({error})"
        ) from None
    SqliteStore(database).purge_expired()
    queue = SqliteQueue(database, settings.pubsub_topic)
    data_dir = str(options.data_dir)
    return Supervisor(
        children=services(options, "--data-dir", data_dir),
        ready_urls=ready_urls(options),
        background=[
            Dispatcher(queue, push_policy(options, settings)),
            sweeping(worker_url(options, "")),
        ],
        announce=lambda: announce(options, settings, backend=f"SQLite in {data_dir}"),
    )


def push_policy(options: Options, settings: Settings) -> PushPolicy:
    requests, dead = settings.pubsub_topic, settings.pubsub_dead_letter_topic
    return PushPolicy(
        endpoints={
            requests: worker_url(options, "/pubsub/push"),
            dead: worker_url(options, "/pubsub/dead-letter"),
        },
        dead_letter_topics={requests: dead},
        ack_deadline=timedelta(seconds=settings.lease_seconds + ACK_DEADLINE_MARGIN_SECONDS),
        in_flight=max(1, settings.web_threads // 2),
    )
