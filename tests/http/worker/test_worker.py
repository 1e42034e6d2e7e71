"""The worker's HTTP: what acks, what nacks, what is refused."""

import json
from collections.abc import Iterator

import jwt
import pytest
from flask.testing import FlaskClient

import worker.app
from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.messages import Message, encode
from shared.errors import StoreUnavailable
from shared.settings import Settings
from tests.builders import LEASE, NOON, an_activation
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini, StoreWithFaults
from tests.http.conftest import Apps
from tests.http.pushes import ACCOUNT, AUDIENCE, envelope, push
from tests.support.google_keys import KID, GoogleKeys
from worker.gemini.port import Unavailable


def submitted(store: SqliteStore) -> Message:
    stored = store.create(an_activation())
    return encode(stored.activation, stored.version)


def test_a_push_completes_the_activation_and_acks_with_204(apps: Apps, store: SqliteStore) -> None:
    answer = push(apps.worker, submitted(store))
    assert (answer.status_code, answer.data) == (204, b"")
    found = store.get("a1")
    assert found is not None
    assert found.activation.status == "completed"


def test_the_same_push_again_is_acked_without_a_call(
    apps: Apps, store: SqliteStore, gemini: ScriptedGemini
) -> None:
    message = submitted(store)
    assert {push(apps.worker, message).status_code for _ in range(5)} == {204}
    assert len(gemini.requests) == 1


def test_a_live_lease_nacks_with_503(
    apps: Apps, store: SqliteStore, gemini: ScriptedGemini
) -> None:
    created = store.create(an_activation())
    claimed = created.activation.claimed(claim_id="c", now=NOON, lease=LEASE)
    store.replace(claimed, created.version)
    assert push(apps.worker, encode(created.activation, created.version)).status_code == 503
    assert gemini.requests == []


def test_an_erased_activation_is_acked(apps: Apps, store: SqliteStore) -> None:
    message = submitted(store)
    store.delete("a1")
    assert push(apps.worker, message).status_code == 204


def test_a_store_that_is_away_nacks_with_503(
    store: SqliteStore, publisher: FakePublisher, gemini: ScriptedGemini, time: FakeTime
) -> None:
    message = submitted(store)
    faulty = StoreWithFaults(store)
    faulty.raises.append(StoreUnavailable("told to"))
    app = worker.app.create_app(Settings(), faulty, publisher, gemini, time.now)
    assert push(app.test_client(), message).status_code == 503


NOT_OURS = [
    ("no JSON", b"\xff"),
    ("a list", b"[]"),
    ("no message", b"{}"),
    ("no id", b'{"message":{"data":""}}'),
    ("no base64", b'{"message":{"data":"***","messageId":"1"}}'),
    ("no data", b'{"message":{"messageId":"1"}}'),
    ("data of another shape", json.dumps(envelope(Message(b"{}"))).encode()),
    ("another schema", json.dumps(envelope(Message(b"{}", {"schema": "2"}))).encode()),
]


@pytest.mark.parametrize("body", [n[1] for n in NOT_OURS], ids=[n[0] for n in NOT_OURS])
def test_what_cannot_be_understood_is_a_400_and_no_work(
    apps: Apps, gemini: ScriptedGemini, body: bytes
) -> None:
    answer = apps.worker.post("/pubsub/push", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert gemini.requests == []


def test_a_pause_that_gemini_asks_for_is_acked_and_uses_up_no_delivery(
    apps: Apps, store: SqliteStore, gemini: ScriptedGemini
) -> None:
    gemini.plan(Unavailable("429", reason="quota", retry_after=37))
    assert push(apps.worker, submitted(store)).status_code == 204
    found = store.get("a1")
    assert found is not None
    assert (found.activation.status, found.activation.due_at) == (
        "queued",
        found.activation.not_before,
    )


def test_a_dead_letter_past_its_deadline_is_answered_by_the_library(
    apps: Apps, store: SqliteStore, time: FakeTime
) -> None:
    message = submitted(store)
    time.advance(300)
    assert push(apps.worker, message, "/pubsub/dead-letter").status_code == 204
    found = store.get("a1")
    assert found is not None
    assert found.activation.fallback_reason == "undeliverable"


def test_a_dead_letter_that_nobody_can_read_is_kept_and_acked(
    apps: Apps, database: Database
) -> None:
    assert push(apps.worker, Message(b"?"), "/pubsub/dead-letter").status_code == 204
    assert database.execute("SELECT message_id, data FROM dead_letters").fetchall() == [("1", b"?")]


def test_a_sweep_answers_with_its_counts(apps: Apps, store: SqliteStore, time: FakeTime) -> None:
    store.create(an_activation())
    time.advance(60)
    counts = apps.worker.post("/tasks/sweep").get_json()
    assert counts == {
        "due": 1,
        "republished": 1,
        "completed": 0,
        "skipped": 0,
        "publish_failed": 0,
        "failed": 0,
    }


def test_livez_and_readyz_answer(apps: Apps) -> None:
    assert apps.worker.get("/livez").status_code == 200
    assert apps.worker.get("/readyz").status_code == 200


# Browsers


POSTS = ["/pubsub/push", "/pubsub/dead-letter", "/tasks/sweep"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_a_page_sends_is_a_403(apps: Apps, path: str, headers: dict[str, str]) -> None:
    answer = apps.worker.post(path, headers=headers)
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_no_page_has_sent_is_taken(apps: Apps, site: str) -> None:
    answer = apps.worker.post("/tasks/sweep", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 200


# Tokens


@pytest.fixture
def keys() -> Iterator[GoogleKeys]:
    with GoogleKeys() as keys:
        yield keys


@pytest.fixture
def guarded(
    store: SqliteStore,
    publisher: FakePublisher,
    gemini: ScriptedGemini,
    keys: GoogleKeys,
    time: FakeTime,
) -> FlaskClient:
    settings = Settings(
        push_audience=AUDIENCE, push_service_account=ACCOUNT, auth_jwks_url=keys.url
    )
    app = worker.app.create_app(settings, store, publisher, gemini, time.now)
    return app.test_client()


def claims(**changes: object) -> dict[str, object]:
    return {
        "aud": AUDIENCE,
        "email": ACCOUNT,
        "email_verified": True,
        "iss": "https://accounts.google.com",
        "sub": "1234567890",
        **changes,
    }


def test_with_the_right_token_a_push_is_handled(
    guarded: FlaskClient, keys: GoogleKeys, store: SqliteStore
) -> None:
    token = {"Authorization": f"Bearer {keys.sign(claims())}"}
    body = envelope(submitted(store))
    assert guarded.post("/pubsub/push", json=body, headers=token).status_code == 204


def test_what_was_handled_does_no_work_again_with_a_good_token(
    guarded: FlaskClient, keys: GoogleKeys, store: SqliteStore, gemini: ScriptedGemini
) -> None:
    """A recorded push, and one through another subscription of the same account."""
    token = {"Authorization": f"Bearer {keys.sign(claims())}"}
    body = envelope(submitted(store))
    other = {**body, "subscription": "projects/p/subscriptions/another"}
    answers = [
        guarded.post("/pubsub/push", json=sent, headers=token) for sent in (body, body, other)
    ]
    assert [answer.status_code for answer in answers] == [204] * 3
    assert len(gemini.requests) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"aud": "https://elsewhere.example"}, 401),
        ({"iss": "https://securetoken.google.com/p"}, 401),
        ({"exp": 1}, 401),
        ({"email": "stranger@innerjourney.iam.gserviceaccount.com"}, 403),
        ({"email_verified": False}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/pubsub/push", "/pubsub/dead-letter", "/tasks/sweep"])
def test_with_the_wrong_token_no_work_is_done(
    guarded: FlaskClient,
    keys: GoogleKeys,
    store: SqliteStore,
    gemini: ScriptedGemini,
    path: str,
    changes: dict[str, object],
    status: int,
) -> None:
    token = {"Authorization": f"Bearer {keys.sign(claims(**changes))}"}
    answer = guarded.post(path, json=envelope(submitted(store)), headers=token)
    assert answer.status_code == status
    assert gemini.requests == []
    found = store.get("a1")
    assert found is not None
    assert found.activation.status == "queued"


@pytest.mark.parametrize("path", ["/pubsub/push", "/pubsub/dead-letter", "/tasks/sweep"])
@pytest.mark.parametrize("forged", ["unsigned", "unknown key", "symmetric", "altered"])
def test_with_a_forged_token_no_work_is_done(
    guarded: FlaskClient,
    keys: GoogleKeys,
    store: SqliteStore,
    gemini: ScriptedGemini,
    path: str,
    forged: str,
) -> None:
    headers = {"Authorization": f"Bearer {forgery(keys, forged)}"}
    answer = guarded.post(path, json=envelope(submitted(store)), headers=headers)
    assert answer.status_code == 401
    assert gemini.requests == []
    found = store.get("a1")
    assert found is not None
    assert found.activation.status == "queued"


def forgery(keys: GoogleKeys, how: str) -> str:
    """A token whose claims are good and whose signature is not."""
    good = keys.sign(claims())
    if how == "unknown key":
        return keys.sign(claims(), kid="another")
    if how == "altered":
        head, _, signature = good.split(".")
        body = jwt.encode(claims(exp=2**33), "k" * 32, algorithm="HS256").split(".")[1]
        return f"{head}.{body}.{signature}"
    algorithm = {"unsigned": "none", "symmetric": "HS256"}[how]
    key = "" if algorithm == "none" else "k" * 32
    return jwt.encode(claims(exp=2**33), key, algorithm=algorithm, headers={"kid": KID})


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic eDp5"])
def test_without_a_token_no_work_is_done(
    guarded: FlaskClient, store: SqliteStore, gemini: ScriptedGemini, header: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    answer = guarded.post("/pubsub/push", json=envelope(submitted(store)), headers=headers)
    assert answer.status_code == 401
    assert gemini.requests == []


def test_health_needs_no_token(guarded: FlaskClient) -> None:
    assert guarded.get("/livez").status_code == 200
