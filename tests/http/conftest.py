"""Both apps on SQLite, in this process, with the clock and the queue in the test's hands."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from unittest import mock

import pytest
from flask.testing import FlaskClient

import ingress.app
import ingress.openapi.routes
import worker.app
import worker.board.routes
import worker.wiring
from local.sqlite.store import SqliteStore
from shared.domain.messages import Message
from shared.settings import Settings
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini
from tests.http.pushes import push

GOOD = {"mood": 2, "goal": "komma igång"}


@pytest.fixture(scope="package", autouse=True)
def made_once() -> Iterator[None]:
    """What every app makes for itself, each the same: most of an app's start."""
    with ExitStack() as stack:
        for module, name in (
            (worker.wiring, "load_library"),
            (worker.board.routes, "BoardPage"),
            (ingress.openapi.routes, "openapi_document"),
        ):
            stack.enter_context(mock.patch.object(module, name, cache(getattr(module, name))))
        yield


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def gemini() -> ScriptedGemini:
    return ScriptedGemini()


@dataclass(frozen=True)
class Apps:
    """The two apps around one store; what ingress publishes is in `publisher.published`."""

    ingress: FlaskClient
    worker: FlaskClient
    publisher: FakePublisher

    @property
    def message(self) -> Message:
        (message,) = self.publisher.published
        return message


@pytest.fixture
def apps(
    store: SqliteStore, publisher: FakePublisher, gemini: ScriptedGemini, time: FakeTime
) -> Apps:
    settings = Settings(auth="none", sync_wait_seconds=0, board=True)
    return Apps(
        ingress.app.create_app(settings, store, publisher, time.now).test_client(),
        worker.app.create_app(settings, store, publisher, gemini, time.now).test_client(),
        publisher,
    )


def deliver(apps: Apps) -> int:
    """Push to the worker what the ingress has published last. The status of its answer."""
    return push(apps.worker, apps.publisher.published[-1]).status_code
