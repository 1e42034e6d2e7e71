"""Every log line about one activation carries its id, and no line about another does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

import worker.app
from local.sqlite.store import SqliteStore
from shared.domain.messages import Message, encode
from shared.settings import Settings
from tests.builders import an_activation
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini
from tests.fake_gemini import Behaviour, FakeGemini, error, finish
from tests.http.conftest import GOOD, Apps
from tests.http.pushes import push
from worker.wiring import build_gemini


@contextmanager
def logged() -> Iterator[list[Any]]:
    """The lines as they leave the process: with what was bound to their context."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


def without_id(lines: list[Any], activation_id: str) -> list[str]:
    """The events of those lines that don't carry the id."""
    return [line["event"] for line in lines if line.get("activation_id") != activation_id]


@pytest.fixture
def gemini_server() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


@pytest.fixture
def client(store: SqliteStore, time: FakeTime, gemini_server: FakeGemini) -> FlaskClient:
    """A worker that asks for real, whose breaker opens after two failures."""
    settings = Settings(
        gemini_api_key="k",
        gemini_api_endpoint=gemini_server.url,
        gemini_max_sleep_seconds=0.01,
        gemini_breaker_failures=2,
    )
    gemini = build_gemini(settings)
    return worker.app.create_app(settings, store, FakePublisher(), gemini, time.now).test_client()


def submitted(store: SqliteStore, activation_id: str = "a1") -> Message:
    stored = store.create(an_activation(activation_id))
    return encode(stored.activation, stored.version)


@pytest.mark.parametrize(
    ("event", "behaviour"),
    [
        ("gemini.retry", error(503)),
        ("breaker.changed", error(503)),
        ("gemini.failed", error(503)),
        ("gemini.retry", finish("MAX_TOKENS")),
        ("activation.completed", error(503)),
        ("request", error(503)),
    ],
)
def test_a_line_of_a_push_names_the_activation(
    client: FlaskClient,
    store: SqliteStore,
    gemini_server: FakeGemini,
    event: str,
    behaviour: Behaviour,
) -> None:
    gemini_server.default = behaviour
    message = submitted(store)
    with logged() as lines:
        push(client, message)
    assert event in [line["event"] for line in lines]
    assert without_id(lines, "a1") == []


@pytest.mark.parametrize("garbage", [Message(b"?"), Message(b"?", {"activation_id": "a b"})])
def test_the_next_push_on_the_same_thread_does_not_name_it(
    client: FlaskClient, store: SqliteStore, garbage: Message
) -> None:
    push(client, submitted(store))
    with logged() as lines:
        push(client, garbage)
    assert [line["event"] for line in lines] == ["push.not_understood", "request"]
    assert not [line for line in lines if "activation_id" in line]


def test_the_sweep_names_each_one_on_its_own_lines(store: SqliteStore, time: FakeTime) -> None:
    for name in ("a1", "a2"):
        store.create(an_activation(name))
    time.advance(3600)
    app = worker.app.create_app(Settings(), store, FakePublisher(), ScriptedGemini(), time.now)
    with logged() as lines:
        app.test_client().post("/tasks/sweep")
    named = [(line["event"], line.get("activation_id")) for line in lines]
    assert sorted(named[:2]) == [("activation.completed", "a1"), ("activation.completed", "a2")]
    assert named[2:] == [("sweep.done", None), ("request", None)]


def test_a_line_of_a_submit_names_what_it_made(apps: Apps) -> None:
    with logged() as lines:
        made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    assert [line["event"] for line in lines] == ["activation.accepted", "request"]
    assert without_id(lines, made) == []


def test_a_line_of_a_submit_that_fails_names_it_too(apps: Apps) -> None:
    apps.publisher.broken = True
    with logged() as lines:
        made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    assert [line["event"] for line in lines] == ["activation.publish_failed", "request"]
    assert without_id(lines, made) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/activations/{}"), ("POST", "/activations/{}/cancel"), ("DELETE", "/activations/{}")],
)
def test_a_line_of_a_request_for_one_names_it(apps: Apps, method: str, path: str) -> None:
    made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    with logged() as lines:
        apps.ingress.open(path.format(made), method=method)
    assert lines
    assert without_id(lines, made) == []


@pytest.mark.parametrize(
    "path", ["/activations", "/activations/anna-andersson", "/activations/a%0Ab"]
)
def test_a_request_for_no_activation_of_the_callers_names_none(apps: Apps, path: str) -> None:
    apps.ingress.post("/activations", json=GOOD)
    with logged() as lines:
        apps.ingress.get(path)
    assert [line.get("activation_id") for line in lines] == [None]
