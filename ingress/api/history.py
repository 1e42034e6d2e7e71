"""The caller's own activations together: list, the latest step, erase all."""

import re

from flask import Blueprint, Response, request

from ingress.api import responses
from ingress.api.representation import page_of
from ingress.api.routes import Services
from shared.errors import InvalidCursor
from shared.http.problems import Problem
from shared.ports import ActivationStore, Page, Stored

DEFAULT_LIMIT, MOST = 20, 100


def history_routes(services: Services) -> Blueprint:
    routes = Blueprint("history", __name__)
    store = services.store

    def caller() -> str:
        user_id = services.identify(request.headers.get("Authorization"))
        services.per_user.count(user_id)  # each of these reads or erases many
        return user_id

    @routes.get("/activations")
    def list_own() -> Response:
        user_id = caller()
        found = _page(store, user_id, _limit(), request.args.get("cursor"))
        shown = page_of((stored.activation for stored in found.items), found.cursor)
        return responses.json_answer(shown)

    @routes.get("/user/activation")
    def latest() -> Response:
        stored = _latest_completed(store, caller())
        if stored is None:
            raise Problem(404, "There is no completed activation yet.")
        return responses.flat(stored, services.clock())

    @routes.delete("/activations")
    def erase_all() -> Response:
        store.delete_all(caller())
        return Response(status=204)

    return routes


def _latest_completed(store: ActivationStore, user_id: str) -> Stored | None:
    """As a rule on the first page; a user has at most a few pages."""
    cursor: str | None = None
    while True:
        found = store.page(user_id, limit=DEFAULT_LIMIT, cursor=cursor)
        for stored in found.items:
            if stored.activation.status == "completed":
                return stored
        if found.cursor is None:
            return None
        cursor = found.cursor


def _page(store: ActivationStore, user_id: str, limit: int, cursor: str | None) -> Page:
    try:
        return store.page(user_id, limit=limit, cursor=cursor)
    except InvalidCursor:
        raise _invalid("cursor", "must be the next_cursor of an earlier answer") from None


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch("[1-9][0-9]{0,2}", text) or int(text) > MOST:
        raise _invalid("limit", f"must be a whole number from 1 to {MOST}")
    return int(text)


def _invalid(parameter: str, detail: str) -> Problem:
    error = {"pointer": f"/{parameter}", "detail": detail}
    return Problem(422, "The request can't be accepted.", errors=[error])
