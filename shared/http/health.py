"""`/livez` says that the process is up, `/readyz` that what it needs answers."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from shared.clock import Clock
from shared.errors import PublishFailed, StoreUnavailable
from shared.ports import ActivationStore, Publisher

KEPT_FOR = timedelta(seconds=2)


class Up(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ok", "unavailable"]
    reasons: dict[str, str] = Field(description="By part, `store` or `queue`, why it is away.")


def health_routes(
    store: ActivationStore,
    publisher: Publisher,
    clock: Clock,
    also: Callable[[], dict[str, str]] = dict,
) -> Blueprint:
    """`also` knows, without asking anybody, what else is away and why."""
    routes = Blueprint("health", __name__)
    look = LastLook(store, publisher, clock)

    @routes.get("/livez")
    def livez() -> Response:
        return _json(Up(), 200)

    @routes.get("/readyz")
    def readyz() -> Response:
        reasons = {**look.reasons(), **also()}
        shown = Readiness(status="unavailable" if reasons else "ok", reasons=reasons)
        return _json(shown, 503 if reasons else 200)

    return routes


def _json(shown: BaseModel, status: int) -> Response:
    return Response(shown.model_dump_json(), status=status, content_type="application/json")


class LastLook:
    """Asks store and queue, one thread at a time, and keeps what they said for KEPT_FOR: anybody
    may ask `/readyz`, as often as they like, and must not reach Firestore with it."""

    def __init__(self, store: ActivationStore, publisher: Publisher, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._looking = threading.Lock()
        self._reasons = {"store": "not asked yet", "queue": "not asked yet"}
        self._looked_at: datetime | None = None

    def reasons(self) -> dict[str, str]:
        """By part why it is away. While another thread asks, what was known before."""
        if self._looking.acquire(blocking=False):
            try:
                if not self._is_fresh():
                    self._reasons = self._unreachable()
                    self._looked_at = self._clock()
            finally:
                self._looking.release()
        return self._reasons

    def _is_fresh(self) -> bool:
        """A clock that was set back makes nothing fresh for longer."""
        if self._looked_at is None:
            return False
        return timedelta(0) <= self._clock() - self._looked_at < KEPT_FOR

    def _unreachable(self) -> dict[str, str]:
        reasons = {}
        try:
            self._store.ping()
        except StoreUnavailable as error:
            reasons["store"] = str(error)
        try:
            self._publisher.ping()
        except PublishFailed as error:
            reasons["queue"] = str(error)
        return reasons
