"""`python -m worker.pull`: the same processing on a StreamingPull subscription.

For hosts without push (a VM, GKE) and for full concurrency on the emulator, which pushes two
messages at a time. Takes PUBSUB_SUBSCRIPTION, WEB_THREADS messages at once.
"""

from concurrent import futures

import structlog
from google.api_core.exceptions import GoogleAPIError
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
from google.cloud.pubsub_v1.subscriber.message import Message as PulledMessage
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler

from shared.domain.messages import Message
from shared.drain import Drain, StopSignals
from shared.errors import MessageNotUnderstood, StoreUnavailable
from shared.google.adapters import google_adapters
from shared.settings import Settings
from shared.start import begin, run
from shared.start_checks import check_pull
from shared.telemetry.traces import trace_of
from worker.gemini.key import with_gemini_key
from worker.pipeline.process import ACKED, Processor
from worker.wiring import build_gemini, build_pipeline

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""How long a signal may go unnoticed."""


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


def pull(settings: Settings, drain: Drain) -> int:
    """Until SIGTERM or SIGINT, and then until `drain` has run. The exit code."""
    store, publisher = google_adapters(settings)
    pipeline = build_pipeline(
        settings,
        store,
        publisher,
        build_gemini(settings, drain.given_back),
        given_back=drain.given_back,
    )
    drain.end_waits = pipeline.claims.drain
    drain.give_back = pipeline.claims.release_all
    subscriber = pubsub_v1.SubscriberClient()
    path = subscriber.subscription_path(
        settings.google_cloud_project or "", settings.pubsub_subscription
    )
    executor = futures.ThreadPoolExecutor(settings.web_threads, thread_name_prefix="pull")
    stream = subscriber.subscribe(
        path,
        callback=lambda pulled: handle(pipeline.processor, pulled),
        flow_control=pubsub_v1.types.FlowControl(
            max_messages=settings.web_threads, max_lease_duration=settings.lease_seconds
        ),
        scheduler=ThreadScheduler(executor),
        await_callbacks_on_shutdown=True,
    )
    signals = StopSignals()
    log.info(
        "pull.started", subscription=settings.pubsub_subscription, at_once=settings.web_threads
    )
    try:
        while not signals.came and not _ended(stream, LOOK_SECONDS):
            pass
        stream.cancel()
        drain.run(lambda seconds: _ended(stream, seconds))
    except GoogleAPIError as error:
        log.error("pull.failed", error=type(error).__name__, alert=True)
        return 1
    return 0


def _ended(stream: StreamingPullFuture, seconds: float) -> bool:
    """Raises GoogleAPIError for what made it end."""
    try:
        stream.result(seconds)
    except futures.TimeoutError:
        return False
    return True


def main() -> int:
    settings, drain = begin("innerjourney-worker", check_pull)
    return pull(with_gemini_key(settings), drain)


if __name__ == "__main__":
    run(main)
