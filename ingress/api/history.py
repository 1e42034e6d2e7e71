"""The caller's own activations together: list, the latest step, erase all."""

import re
from dataclasses import dataclass

from flask import Blueprint, Response, request

from ingress.api.callers import Callers
from ingress.api.representation import page_of
from ingress.api.responses import flat_response, json_response
from ingress.api.sentences import CURSOR, LIMIT
from shared.clock import Clock
from shared.errors import InvalidCursor
from shared.http.problems import Problem
from shared.ports import ActivationStore, Page, Stored

DEFAULT_LIMIT, MOST = 20, 100


@dataclass(frozen=True, kw_only=True)
class HistoryRoutes:
    store: ActivationStore
    callers: Callers
    clock: Clock

    def blueprint(self) -> Blueprint:
        routes = Blueprint("history", __name__)
        routes.get("/activations")(self.list_own)
        routes.get("/user/activation")(self.latest)
        routes.delete("/activations")(self.erase_all)
        return routes

    def list_own(self) -> Response:
        user_id = self.callers.counted()
        found = _page(self.store, user_id, _limit(), request.args.get("cursor"))
        shown = page_of((stored.activation for stored in found.items), found.cursor)
        return json_response(shown)

    def latest(self) -> Response:
        stored = _latest_completed(self.store, self.callers.counted())
        if stored is None:
            raise Problem(404, "There is no completed activation yet.")
        return flat_response(stored, self.clock())

    def erase_all(self) -> Response:
        self.store.delete_all(self.callers.counted())
        return Response(status=204)


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
        raise _invalid("cursor", CURSOR) from None


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch("[1-9][0-9]{0,2}", text) or int(text) > MOST:
        raise _invalid("limit", LIMIT)
    return int(text)


def _invalid(parameter: str, detail: str) -> Problem:
    error = {"pointer": f"/{parameter}", "detail": detail}
    return Problem(422, errors=[error])
