"""Nobody sees, changes or erases what is somebody else's: route × method × other user.

`make test` prints the matrix at its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import ingress.app
from local.sqlite.store import SqliteStore
from shared.settings import Settings
from tests.builders import NOON, an_activation, an_answer
from tests.doubles import FakePublisher, FakeTime
from tests.http.conftest import GOOD
from tests.support.google_keys import GoogleKeys
from tests.support.tables import ISOLATION, RecordProperty, isolation

PROJECT = "innerjourney"
KEY = {"Idempotency-Key": "k1"}


@pytest.fixture(scope="module")
def keys() -> Iterator[GoogleKeys]:
    with GoogleKeys() as keys:
        yield keys


@dataclass(frozen=True)
class People:
    """Callers with tokens of their own, in front of one ingress."""

    app: Flask
    keys: GoogleKeys
    store: SqliteStore

    def ask(self, user: str | None, method: str, path: str, **more: Any) -> TestResponse:
        headers = {}
        if user is not None:
            claims: dict[str, object] = {
                "iss": f"https://securetoken.google.com/{PROJECT}",
                "aud": PROJECT,
                "sub": user,
            }
            headers["Authorization"] = f"Bearer {self.keys.sign(claims)}"
        headers.update(more.pop("headers", {}))
        return self.app.test_client().open(path, method=method, headers=headers, **more)


@pytest.fixture
def people(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime, keys: GoogleKeys
) -> People:
    settings = Settings(
        auth="firebase",
        google_cloud_project=PROJECT,
        auth_jwks_url=keys.url,
        sync_wait_seconds=0,
    )
    created = store.create(an_activation("annas", user_id="anna"))
    store.create(an_activation("annas-queued", user_id="anna"))
    store.replace(created.activation.completed(an_answer(), now=NOON), created.version)
    app = ingress.app.create_app(settings, store, publisher, time.now)
    return People(app, keys, store)


OF_ONE = [
    ("GET", "/activations/{}"),
    ("HEAD", "/activations/{}"),
    ("DELETE", "/activations/{}"),
    ("POST", "/activations/{}/cancel"),
]
OF_ALL = [
    ("GET", "/activations"),
    ("DELETE", "/activations"),
    ("GET", "/user/activation"),
    ("POST", "/activations"),
    ("POST", "/gemini/getActivation"),
]


@pytest.mark.parametrize(("method", "path"), OF_ONE)
@pytest.mark.parametrize("of", ["annas", "annas-queued"])
def test_somebody_elses_is_the_very_answer_of_a_missing_one(
    people: People, record_property: RecordProperty, method: str, path: str, of: str
) -> None:
    before = people.store.get(of)
    theirs = people.ask("bo", method, path.format(of))
    missing = people.ask("bo", method, path.format("missing"))
    assert theirs.status_code == missing.status_code == 404
    assert theirs.data == missing.data
    varying = {"X-Request-Id", "Date"}
    assert {k: v for k, v in theirs.headers if k not in varying} == {
        k: v for k, v in missing.headers if k not in varying
    }
    assert people.store.get(of) == before
    record_property(
        ISOLATION,
        isolation(method, path.format("{id}"), "another's", "404, the bytes of a missing one"),
    )


@pytest.mark.parametrize(("method", "path"), OF_ONE)
@pytest.mark.parametrize("headers", [{"If-None-Match": "*"}, {"Prefer": "wait=30"}, KEY])
def test_no_header_opens_it(
    people: People, method: str, path: str, headers: dict[str, str]
) -> None:
    assert people.ask("bo", method, path.format("annas"), headers=headers).status_code == 404


def test_the_list_of_another_is_empty(people: People, record_property: RecordProperty) -> None:
    assert people.ask("bo", "GET", "/activations").get_json()["items"] == []
    assert len(people.ask("anna", "GET", "/activations").get_json()["items"]) == 2
    record_property(ISOLATION, isolation("GET", "/activations", "another's", "not listed"))


def test_the_latest_of_another_is_not_found(
    people: People, record_property: RecordProperty
) -> None:
    assert people.ask("bo", "GET", "/user/activation").status_code == 404
    assert people.ask("anna", "GET", "/user/activation").status_code == 200
    record_property(ISOLATION, isolation("GET", "/user/activation", "another's", "404"))


def test_erasing_all_leaves_anothers(people: People, record_property: RecordProperty) -> None:
    assert people.ask("bo", "DELETE", "/activations").status_code == 204
    assert len(people.ask("anna", "GET", "/activations").get_json()["items"]) == 2
    record_property(ISOLATION, isolation("DELETE", "/activations", "another's", "left alone"))


@pytest.mark.parametrize("path", ["/activations", "/gemini/getActivation"])
def test_the_same_idempotency_key_of_two_users_is_two_activations(
    people: People, record_property: RecordProperty, path: str
) -> None:
    annas = people.ask("anna", "POST", path, json=GOOD, headers=KEY)
    bos = people.ask("bo", "POST", path, json=GOOD, headers=KEY)
    assert annas.get_json()["activation_id"] != bos.get_json()["activation_id"]
    assert "Idempotency-Replayed" not in bos.headers
    record_property(
        ISOLATION, isolation("POST", path, "another's key", "an activation of one's own")
    )


@pytest.mark.parametrize(("method", "path"), OF_ONE + OF_ALL)
def test_without_a_token_it_is_a_401_everywhere(
    people: People, record_property: RecordProperty, method: str, path: str
) -> None:
    answer = people.ask(None, method, path.format("annas"))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    record_property(ISOLATION, isolation(method, path.format("{id}"), "no token", "401"))


def test_every_route_of_the_app_is_in_this_file(people: People) -> None:
    open_to_all = {
        *("/", "/livez", "/readyz", "/openapi.json"),
        *("/docs", "/docs/<name>", "/app/", "/app/<path:name>"),
    }
    routes = {
        (method, rule.rule.replace("<activation_id>", "{}"))
        for rule in people.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if rule.rule not in open_to_all
    }
    assert routes == {(m, p) for m, p in OF_ONE + OF_ALL if m != "HEAD"}


def test_one_users_daily_limit_is_nobody_elses(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime, keys: GoogleKeys
) -> None:
    settings = Settings(
        auth="firebase",
        google_cloud_project=PROJECT,
        auth_jwks_url=keys.url,
        daily_limit_per_user=1,
    )
    people = People(ingress.app.create_app(settings, store, publisher, time.now), keys, store)
    statuses = [
        people.ask(user, "POST", "/activations", json=GOOD).status_code
        for user in ("anna", "anna", "bo")
    ]
    assert statuses == [202, 429, 202]
