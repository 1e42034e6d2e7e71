"""`/livez` says that the process is up, `/readyz` that what it needs answers."""

from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from shared.errors import PublishFailed, StoreUnavailable
from shared.ports import ActivationStore, Publisher


class Up(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ok", "unavailable"]
    reasons: dict[str, str] = Field(description="By part, `store` or `queue`, why it is away.")


def health_routes(store: ActivationStore, publisher: Publisher) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        return _json(Up(), 200)

    @routes.get("/readyz")
    def readyz() -> Response:
        reasons = _unreachable(store, publisher)
        shown = Readiness(status="unavailable" if reasons else "ok", reasons=reasons)
        return _json(shown, 503 if reasons else 200)

    return routes


def _json(shown: BaseModel, status: int) -> Response:
    return Response(shown.model_dump_json(), status=status, content_type="application/json")


def _unreachable(store: ActivationStore, publisher: Publisher) -> dict[str, str]:
    reasons = {}
    try:
        store.ping()
    except StoreUnavailable as error:
        reasons["store"] = str(error)
    try:
        publisher.ping()
    except PublishFailed as error:
        reasons["queue"] = str(error)
    return reasons
