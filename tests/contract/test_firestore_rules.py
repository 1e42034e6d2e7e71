"""deploy/firestore.rules in force on Google's emulator, asked over REST as a browser asks.

The emulator takes unsigned tokens; who they name is what the rules decide on.
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from local.emulators.programs import find_emulators, wait_until_listening
from local.run.processes import stop_all
from shared.domain.daily_limit import counter_of
from shared.domain.messages import DeadLetter
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from tests import ROOT
from tests.builders import an_activation
from tests.support.emulators import PROJECT, GoogleEmulators, free_port, need_emulators

RULES = ROOT / "deploy" / "firestore.rules"
NOW = datetime.now(timezone.utc)
ANNAS, BERTILS, EXPIRED = "a" * 32, "b" * 32, "c" * 32


class Documents:
    """The REST API of one database, and what is in it."""

    def __init__(self, host: str) -> None:
        self._root = f"http://{host}/v1/projects/{PROJECT}/databases/(default)/documents"

    def ask(
        self, user: str | None, method: str, path: str, body: dict[str, Any] | None = None
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {unsigned(user)}"} if user else {}
        url = f"{self._root}{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=30)

    def listed(self, user: str | None, *, of: str | None) -> requests.Response:
        """A query for the activations of a user, or for everybody's."""
        query: dict[str, Any] = {"from": [{"collectionId": "activations"}]}
        if of is not None:
            query["where"] = {
                "fieldFilter": {
                    "field": {"fieldPath": "user_id"},
                    "op": "EQUAL",
                    "value": {"stringValue": of},
                }
            }
        return self.ask(user, "POST", ":runQuery", {"structuredQuery": query})


def unsigned(user: str) -> str:
    claims = {
        "sub": user,
        "user_id": user,
        "aud": PROJECT,
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
    }
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}."


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documents]:
    need_emulators()
    port = free_port()
    child = find_emulators().firestore(port, tmp_path_factory.mktemp("rules"), rules=RULES)
    child.start()
    try:
        wait_until_listening([child], [port])
        fill(f"127.0.0.1:{port}")
        yield Documents(f"127.0.0.1:{port}")
    finally:
        stop_all([child], grace_seconds=5)


def fill(host: str) -> None:
    """As the services do, whom rules do not bind."""
    with GoogleEmulators(pubsub_host="", firestore_host=host).found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    store = FirestoreStore(client, "activations")
    store.create(an_activation(ANNAS, user_id="anna", now=NOW), daily_limit=1)
    store.create(an_activation(BERTILS, user_id="bertil", now=NOW))
    store.create(an_activation(EXPIRED, user_id="anna", now=NOW - timedelta(days=31)))
    letter = DeadLetter(message_id="1", data=b"{}", attributes={}, why="test", received_at=NOW)
    store.keep_dead_letter(letter)
    client.close()


def test_the_owner_reads_an_activation(documents: Documents) -> None:
    answer = documents.ask("anna", "GET", f"/activations/{ANNAS}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"]["user_id"] == {"stringValue": "anna"}


@pytest.mark.parametrize("user", ["bertil", None])
def test_a_stranger_and_an_anonymous_caller_do_not(documents: Documents, user: str | None) -> None:
    assert documents.ask(user, "GET", f"/activations/{ANNAS}").status_code == 403


def test_what_has_expired_is_hidden_before_it_is_deleted(documents: Documents) -> None:
    assert documents.ask("anna", "GET", f"/activations/{EXPIRED}").status_code == 403


def test_the_owner_lists_what_is_own(documents: Documents) -> None:
    answer = documents.listed("anna", of="anna")
    assert answer.status_code == 200, answer.text
    names = {found["document"]["name"].split("/")[-1] for found in answer.json()}
    assert ANNAS in names
    assert BERTILS not in names


@pytest.mark.parametrize(
    ("user", "of"), [("anna", None), ("anna", "bertil"), (None, "anna"), (None, None)]
)
def test_nobody_lists_more_than_that(
    documents: Documents, user: str | None, of: str | None
) -> None:
    assert documents.listed(user, of=of).status_code == 403


@pytest.mark.parametrize("user", ["anna", "bertil", None])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/activations"),
        ("POST", "/activations?documentId=" + "d" * 32),
        ("PATCH", f"/activations/{ANNAS}"),
        ("DELETE", f"/activations/{ANNAS}"),
        ("POST", "/anything"),
        ("PATCH", "/dead_letters/1"),
        ("PATCH", f"/submissions/{counter_of('anna')}"),
        ("DELETE", f"/submissions/{counter_of('anna')}"),
    ],
)
def test_nobody_writes(documents: Documents, user: str | None, method: str, path: str) -> None:
    own = {"fields": {"user_id": {"stringValue": user or ""}, "done": {"booleanValue": True}}}
    body = None if method == "DELETE" else own
    assert documents.ask(user, method, path, body).status_code == 403


@pytest.mark.parametrize("user", ["anna", None])
@pytest.mark.parametrize("path", ["/dead_letters/1", f"/submissions/{counter_of('anna')}"])
def test_nobody_reads_dead_letters_and_counters(
    documents: Documents, user: str | None, path: str
) -> None:
    assert documents.ask(user, "GET", path).status_code == 403
