"""`python -m worker.pull`: the same processing on a StreamingPull subscription.

For hosts without push (a VM, GKE) and for full concurrency on the emulator, which pushes two
messages at a time. Takes PUBSUB_SUBSCRIPTION, WEB_THREADS messages at once.
"""

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from google.api_core.exceptions import GoogleAPIError
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message as PulledMessage
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler

from shared.domain.messages import Message
from shared.errors import MessageNotUnderstood, SettingsError, StoreUnavailable
from shared.google.adapters import google_adapters
from shared.http.gunicorn_worker import BEFORE_KILLED_SECONDS
from shared.settings import Settings, read_settings
from shared.start_checks import check_pull
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.logs import configure_logging
from shared.telemetry.traces import trace_of
from worker.gemini.key import with_gemini_key
from worker.pipeline.process import ACKED, Processor
from worker.wiring import build_gemini, build_pipeline

log = structlog.get_logger(__name__)


def handle(processor: Processor, pulled: PulledMessage) -> None:
    """Process one message, then ack or nack it; what can't be understood ends as a dead letter."""
    try:
        with trace_of(pulled.attributes.get("traceparent")):
            acked = processor.process(Message(pulled.data, dict(pulled.attributes))) in ACKED
    except MessageNotUnderstood as error:
        log.error("pull.not_understood", error=str(error))
        acked = False
    except StoreUnavailable as error:
        log.error("store.unavailable", error=str(error))
        acked = False
    except Exception as error:
        log.error("unexpected", error=type(error).__name__)
        acked = False
    if acked:
        pulled.ack()
    else:
        pulled.nack()


def run(settings: Settings) -> int:
    """Pull until SIGTERM or SIGINT, then let what is under way finish. The exit code."""
    store, publisher = google_adapters(settings)
    pipeline = build_pipeline(settings, store, publisher, build_gemini(settings))
    subscriber = pubsub_v1.SubscriberClient()
    path = subscriber.subscription_path(
        settings.google_cloud_project or "", settings.pubsub_subscription
    )
    executor = ThreadPoolExecutor(settings.web_threads, thread_name_prefix="pull")
    stream = subscriber.subscribe(
        path,
        callback=lambda pulled: handle(pipeline.processor, pulled),
        flow_control=pubsub_v1.types.FlowControl(
            max_messages=settings.web_threads, max_lease_duration=settings.lease_seconds
        ),
        scheduler=ThreadScheduler(executor),
        await_callbacks_on_shutdown=True,
    )

    def stop(_: int, __: Any) -> None:
        stream.cancel()
        release_all = threading.Timer(BEFORE_KILLED_SECONDS, pipeline.claims.release_all)
        release_all.daemon = True
        release_all.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info(
        "pull.started", subscription=settings.pubsub_subscription, at_once=settings.web_threads
    )
    try:
        stream.result()
    except GoogleAPIError as error:
        log.error("pull.failed", error=type(error).__name__, alert=True)
        return 1
    return 0


def main() -> int:
    try:
        settings = read_settings()
        check_pull(settings)
        configure_logging(
            settings.log_level, json=settings.on_cloud_run, project=settings.google_cloud_project
        )
        settings = with_gemini_key(settings)
    except SettingsError as error:
        print(f"can't start: {error}", file=sys.stderr)
        return 2
    telemetry = configure_telemetry(settings, "innerjourney-worker")
    try:
        return run(settings)
    finally:
        telemetry.end()


if __name__ == "__main__":
    sys.exit(main())
