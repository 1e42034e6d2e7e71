"""`python -m worker.pull`: the worker for hosts without push (a VM, GKE), whole.

It pulls the requests, WEB_THREADS at once, and the dead letters, sweeps each minute, and serves
/livez and /readyz. For full concurrency on the emulator too, which pushes two messages at a time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from google.cloud.pubsub_v1 import SubscriberClient

from shared.drain import Drain, StopSignals
from shared.google.adapters import google_adapters
from shared.http.server import EVERYWHERE, LOOK_SECONDS, POLL_SECONDS, listen
from shared.periodic import Periodic
from shared.settings import Settings
from shared.start import begin, run
from shared.start_checks import check_pull
from worker.app import create_health_app
from worker.gemini.key import with_gemini_key
from worker.pipeline.process import ACKED
from worker.streams import Source, Stream
from worker.wiring import Pipeline, build_gemini, build_pipeline

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 60.0
"""As Cloud Scheduler sweeps: an activation has its step by its deadline and this."""

DEAD_LETTERS_AT_ONCE = 4
"""Each takes a read and a write."""

HEALTH_THREADS = 2
"""One may wait for the store, while the other answers /livez."""


def sources(settings: Settings, pipeline: Pipeline) -> list[Source]:
    return [
        Source(
            subscription=settings.pubsub_subscription,
            handle=lambda _, message: pipeline.processor.process(message) in ACKED,
            at_once=settings.web_threads,
        ),
        Source(
            subscription=settings.pubsub_dead_letter_subscription,
            handle=pipeline.dead_letters.handle,
            at_once=DEAD_LETTERS_AT_ONCE,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class PullWorker:
    streams: Sequence[Stream]
    sweep: Periodic
    answer_probes: Callable[[float], object]
    """For so many seconds at most; anything that wakes the server ends it sooner."""
    monotonic: Callable[[], float] = time.monotonic

    def run(self, signals: StopSignals, drain: Drain) -> int:
        """Until SIGTERM, SIGINT or the end of a stream, and then until `drain` has run. The exit
        code: 1 if a stream has ended by itself."""
        while not signals.came and not any(stream.ended for stream in self.streams):
            self.answer_probes(LOOK_SECONDS)
        failed = [stream for stream in self.streams if stream.ended]
        for stream in failed:
            log.error(
                "pull.failed",
                alert=True,
                subscription=stream.subscription,
                error=type(stream.error).__name__,
            )
        log.info("pull.draining")
        for stream in self.streams:
            stream.cancel()
        self.sweep.stop()
        drain.run(self._finish)
        return 1 if failed else 0

    def _finish(self, seconds: float) -> bool:
        """Probes are answered to the end: alive, and not ready."""
        end = self.monotonic() + seconds
        while self._is_busy() and self.monotonic() < end:
            self.answer_probes(POLL_SECONDS)
        return not self._is_busy()

    def _is_busy(self) -> bool:
        return self.sweep.runs or not all(stream.ended for stream in self.streams)


def not_received(streams: Sequence[Stream]) -> dict[str, str]:
    """For /readyz."""
    return {
        stream.subscription: "nothing is received from this subscription"
        for stream in streams
        if not stream.receives
    }


def start(settings: Settings, drain: Drain, host: str) -> tuple[PullWorker, StopSignals]:
    """Raises SettingsError when the port is taken; then nothing has been pulled yet."""
    store, publisher = google_adapters(settings)
    gemini = build_gemini(settings, drain.given_back)
    pipeline = build_pipeline(settings, store, publisher, gemini, given_back=drain.given_back)
    drain.end_waits = pipeline.claims.drain
    drain.give_back = pipeline.claims.release_all
    streams: list[Stream] = []
    app = create_health_app(settings, store, publisher, lambda: not_received(streams))
    server = listen(app, settings.model_copy(update={"web_threads": HEALTH_THREADS}), host)
    signals = StopSignals(wake=server.pull_trigger)
    subscriber = SubscriberClient()
    for source in sources(settings, pipeline):
        path = subscriber.subscription_path(settings.google_cloud_project, source.subscription)
        stream = Stream(
            subscriber,
            path,
            source,
            lease_seconds=settings.lease_seconds,
            wake=server.pull_trigger,
        )
        streams.append(stream)
        log.info("pull.started", subscription=source.subscription, at_once=source.at_once)
    sweep = Periodic("sweep", SWEEP_SECONDS, pipeline.sweeper.sweep)
    sweep.start()
    return PullWorker(streams=streams, sweep=sweep, answer_probes=server.turn), signals


def main(host: str = EVERYWHERE) -> int:
    """Pull until SIGTERM. The exit code. Raises SettingsError."""
    settings, drain = begin("innerjourney-worker", check_pull)
    worker, signals = start(with_gemini_key(settings), drain, host)
    return worker.run(signals, drain)


if __name__ == "__main__":
    run(main)
