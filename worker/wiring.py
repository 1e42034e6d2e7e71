"""Build the worker's parts around the store, the queue and the Gemini port they are given."""

import threading
from dataclasses import dataclass
from datetime import timedelta

import structlog

from shared.clock import Clock, utc_now
from shared.ports import ActivationStore, Publisher
from shared.settings import Settings
from shared.telemetry.traced_publisher import TracedPublisher
from worker.board.reader import BoardReader
from worker.fallback import load_library
from worker.gemini.breaker import Breaker
from worker.gemini.calls import Model
from worker.gemini.client import GeminiClient
from worker.gemini.plan import Limits
from worker.gemini.port import Client, Gemini, WithoutKey
from worker.gemini.prices import load_prices
from worker.pipeline.claim import Claimer
from worker.pipeline.dead_letters import DeadLetters
from worker.pipeline.decide import Decider
from worker.pipeline.fallback_answers import FallbackAnswers
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.process import Processor
from worker.pipeline.sweep import Sweeper
from worker.safety import prepare

log = structlog.get_logger(__name__)

_SDKS = {
    "google-generativeai": "end-of-life since November 2025; GEMINI_SDK=google-genai is maintained "
    "and adds Vertex AI",
    "google-genai": "maintained",
}


def build_gemini(settings: Settings, given_back: threading.Event | None = None) -> Client:
    """The client of the configured models; without an API key its stand-in.

    From when `given_back` is set it calls nobody: see `HeldClaims`.
    """
    if not settings.asks_gemini:
        log.warning("gemini.no_api_key", effect="every answer comes from the fallback library")
        return WithoutKey()
    log.info("gemini.sdk", sdk=settings.gemini_sdk, note=_SDKS[settings.gemini_sdk])
    models = [build_model(settings, name) for name in settings.gemini_models]
    return GeminiClient(models, Limits.of(settings), given_back=given_back)


def build_model(settings: Settings, name: str) -> Model:
    return Model(
        name=name,
        adapter=build_sdk(settings, name),
        breaker=Breaker(
            name,
            failures=settings.gemini_breaker_failures,
            recovery_seconds=settings.gemini_breaker_seconds,
        ),
    )


def build_sdk(settings: Settings, model: str) -> Gemini:
    """The chosen SDK's adapter for one model; `check_gemini` checked that the SDK is there."""
    # Imported here: each takes a second to import, and one of them is optional.
    if settings.gemini_sdk == "google-generativeai":
        from worker.gemini.adapters.generativeai import GenerativeAIAdapter

        return GenerativeAIAdapter(settings, model)
    from worker.gemini.adapters.genai import GenAIAdapter

    return GenAIAdapter(settings, model)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What answers activations, for push and pull alike."""

    processor: Processor
    dead_letters: DeadLetters
    sweeper: Sweeper
    claims: HeldClaims


def build_pipeline(
    settings: Settings,
    store: ActivationStore,
    publisher: Publisher,
    gemini: Client,
    clock: Clock = utc_now,
    given_back: threading.Event | None = None,
) -> Pipeline:
    lease = timedelta(seconds=settings.lease_seconds)
    prepare()
    fallback = FallbackAnswers(load_library())
    decider = Decider(
        gemini=gemini,
        fallback=fallback,
        max_attempts=settings.max_attempts,
        max_sleep_seconds=settings.gemini_max_sleep_seconds,
        budget_seconds=settings.gemini_budget_seconds,
    )
    claims = HeldClaims(store, given_back)
    return Pipeline(
        processor=Processor(
            store=store,
            claims=claims,
            claimer=Claimer(store=store, lease=lease, clock=clock),
            decider=decider,
            write_back_seconds=settings.lease_seconds - settings.gemini_budget_seconds,
        ),
        dead_letters=DeadLetters(store=store, fallback=fallback, lease=lease, clock=clock),
        sweeper=Sweeper(
            store=store,
            publisher=TracedPublisher(publisher),
            fallback=fallback,
            lease=lease,
            clock=clock,
        ),
        claims=claims,
    )


def build_board(
    settings: Settings, store: ActivationStore, gemini: Client, clock: Clock = utc_now
) -> BoardReader:
    return BoardReader(
        store,
        clock=clock,
        health=gemini.health,
        prices=load_prices(),
        model=settings.gemini_model,
        lease=timedelta(seconds=settings.lease_seconds),
    )
