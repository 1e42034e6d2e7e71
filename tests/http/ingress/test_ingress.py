"""The public API over HTTP: what is accepted, what is refused, what is shown."""

import threading

import pytest
from structlog.testing import capture_logs

import ingress.app
from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.messages import decode
from shared.errors import AlreadyExists, StoreUnavailable
from shared.settings import Settings
from tests.builders import NOON, an_activation, an_answer, step_fields
from tests.doubles import FakePublisher, FakeTime, StoreWithFaults
from tests.http.conftest import GOOD, Apps, deliver

FLAT_FIELDS = {*step_fields(), "activation_id", "source"}
REPRESENTATION_FIELDS = {
    *(
        "activation_id",
        "status",
        "done",
        "created_at",
        "updated_at",
        "deadline",
        "attempt",
        "attempts",
    ),
    *("step", "source", "fallback_reason", "model", "usage", "links"),
}


def count(database: Database) -> int:
    return int(database.execute("SELECT count(*) FROM activations").fetchone()[0])


def test_the_root_welcomes(apps: Apps) -> None:
    answer = apps.ingress.get("/")
    assert answer.get_json() == {"message": "Welcome to InnerJourney Backend"}


def test_a_submit_is_accepted_written_and_published(apps: Apps, store: SqliteStore) -> None:
    answer = apps.ingress.post("/activations", json=GOOD)
    body = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/activations/{body['activation_id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == REPRESENTATION_FIELDS
    assert (body["status"], body["done"], body["step"]) == ("queued", False, None)
    stored = store.get(body["activation_id"])
    assert stored is not None
    published = decode(apps.message)
    assert (published.activation, published.version) == (stored.activation, stored.version)


def test_the_message_carries_the_attributes_of_the_contract(apps: Apps) -> None:
    body = apps.ingress.post("/activations", json=GOOD).get_json()
    attributes = apps.message.attributes
    assert attributes["activation_id"] == body["activation_id"]
    assert attributes["schema"] == "1"
    assert len(attributes["traceparent"]) == 55


def test_the_callers_trace_goes_on(apps: Apps) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c"
    header = {"traceparent": f"{trace}-b7ad6b7169203331-01"}
    apps.ingress.post("/activations", json=GOOD, headers=header)
    assert apps.message.attributes["traceparent"].startswith(f"{trace}-")


@pytest.mark.parametrize(
    ("header", "asked", "stored"),
    [
        (None, None, "sv"),
        ("en-GB,en;q=0.8", None, "en-GB"),
        ("en", "sv-SE", "sv-SE"),
        ("*", None, "sv"),
        ("'; drop table", None, "sv"),
    ],
)
def test_the_language_is_the_one_asked_for_then_the_browsers_then_swedish(
    apps: Apps, header: str | None, asked: str | None, stored: str
) -> None:
    body = {**GOOD, **({"language": asked} if asked else {})}
    headers = {"Accept-Language": header} if header else {}
    apps.ingress.post("/activations", json=body, headers=headers)
    assert decode(apps.message).activation.language == stored


BAD: list[tuple[str, bytes, str, int, str | None]] = [
    ("mood as text", b'{"mood":"2","goal":"a"}', "application/json", 422, "/mood"),
    ("mood as float", b'{"mood":2.0,"goal":"a"}', "application/json", 422, "/mood"),
    ("mood as bool", b'{"mood":true,"goal":"a"}', "application/json", 422, "/mood"),
    ("mood null", b'{"mood":null,"goal":"a"}', "application/json", 422, "/mood"),
    ("mood 0", b'{"mood":0,"goal":"a"}', "application/json", 422, "/mood"),
    ("mood 6", b'{"mood":6,"goal":"a"}', "application/json", 422, "/mood"),
    ("mood huge", b'{"mood":1' + b"0" * 400 + b',"goal":"a"}', "application/json", 422, "/mood"),
    ("mood missing", b'{"goal":"a"}', "application/json", 422, "/mood"),
    ("goal missing", b'{"mood":2}', "application/json", 422, "/goal"),
    ("goal blank", b'{"mood":2,"goal":"  "}', "application/json", 422, "/goal"),
    ("goal a list", b'{"mood":2,"goal":["a"]}', "application/json", 422, "/goal"),
    ("goal with NUL", b'{"mood":2,"goal":"a\\u0000"}', "application/json", 422, "/goal"),
    ("goal of 501", b'{"mood":2,"goal":"' + b"a" * 501 + b'"}', "application/json", 422, "/goal"),
    ("language", b'{"mood":2,"goal":"a","language":"?"}', "application/json", 422, "/language"),
    ("profile", b'{"mood":2,"goal":"a","profile":[]}', "application/json", 422, "/profile"),
    ("server's field", b'{"mood":2,"goal":"a","user_id":"x"}', "application/json", 422, "/user_id"),
    ("a list", b"[]", "application/json", 422, ""),
    ("null", b"null", "application/json", 422, ""),
    ("not JSON", b"mood=2", "application/json", 400, None),
    ("nothing", b"", "application/json", 400, None),
    ("nested", b"[" * 10_000, "application/json", 400, None),
    ("UTF-16", '{"mood":2,"goal":"a"}'.encode("utf-16"), "application/json", 400, None),
    ("a form", b"mood=2&goal=a", "application/x-www-form-urlencoded", 415, None),
    ("no type", b'{"mood":2,"goal":"a"}', "", 415, None),
    ("latin-1", b'{"mood":2,"goal":"a"}', "application/json; charset=latin-1", 415, None),
    ("too large", b'{"mood":2,"goal":"' + b"a" * 40_000 + b'"}', "application/json", 413, None),
]


@pytest.mark.parametrize("path", ["/activations", "/gemini/getActivation"])
@pytest.mark.parametrize(
    ("body", "content_type", "status", "pointer"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_bad_input_is_a_problem_and_leaves_nothing_behind(
    apps: Apps,
    database: Database,
    path: str,
    body: bytes,
    content_type: str,
    status: int,
    pointer: str | None,
) -> None:
    answer = apps.ingress.post(path, data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert count(database) == 0
    assert apps.publisher.published == []


def test_an_activation_is_shown_to_its_owner(apps: Apps) -> None:
    created = apps.ingress.post("/activations", json=GOOD).get_json()
    answer = apps.ingress.get(f"/activations/{created['activation_id']}")
    assert answer.status_code == 200
    assert answer.get_json() == created
    assert "Retry-After" in answer.headers


def test_a_completed_one_is_shown_with_its_step_and_nothing_to_wait_for(
    apps: Apps, store: SqliteStore
) -> None:
    created = store.create(an_activation(user_id="local"))
    store.replace(created.activation.completed(an_answer(), now=NOON), created.version)
    answer = apps.ingress.get("/activations/a1")
    body = answer.get_json()
    assert (body["status"], body["done"], body["source"]) == ("completed", True, "gemini")
    assert body["step"] == step_fields()
    assert "Retry-After" not in answer.headers


def test_what_the_user_wrote_and_the_servers_own_fields_are_not_shown(
    apps: Apps, store: SqliteStore
) -> None:
    store.create(an_activation(user_id="local"))
    body = apps.ingress.get("/activations/a1").get_json()
    assert set(body) == REPRESENTATION_FIELDS


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_someone_elses_is_the_same_404_as_a_missing_one(
    apps: Apps, store: SqliteStore, method: str
) -> None:
    store.create(an_activation(user_id="somebody else"))
    tail = "/cancel" if method == "POST" else ""
    theirs = apps.ingress.open(f"/activations/a1{tail}", method=method)
    missing = apps.ingress.open(f"/activations/b2{tail}", method=method)
    assert theirs.status_code == missing.status_code == 404
    assert theirs.data == missing.data


@pytest.mark.parametrize("path_id", ["a" * 65, "é", "a.b", "%00", "a b", "٣", "__readyz__"])
def test_what_can_be_no_id_of_ours_is_a_404(apps: Apps, path_id: str) -> None:
    assert apps.ingress.get(f"/activations/{path_id}").status_code == 404


def test_the_waiting_route_answers_with_the_flat_step(
    apps: Apps, store: SqliteStore, time: FakeTime
) -> None:
    settings = Settings(auth="none", sync_wait_seconds=30)
    app = ingress.app.create_app(settings, store, apps.publisher, time.now).test_client()
    worker = threading.Timer(0.2, deliver, (apps,))
    worker.start()
    answer = app.post("/gemini/getActivation", json=GOOD)
    worker.join()
    body = answer.get_json()
    assert answer.status_code == 200
    assert set(body) == FLAT_FIELDS
    assert len(body) == 17
    assert body["source"] == "gemini"


def test_a_wait_that_is_too_short_is_a_504_that_says_where_to_look(apps: Apps) -> None:
    answer = apps.ingress.post("/gemini/getActivation", json=GOOD)
    problem = answer.get_json()
    assert answer.status_code == 504
    assert answer.headers["Location"] == f"/activations/{problem['activation_id']}"
    assert "Retry-After" in answer.headers
    deliver(apps)
    assert apps.ingress.get(answer.headers["Location"]).get_json()["done"]


def test_without_a_free_slot_a_request_does_not_wait(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    settings = Settings(auth="none", sync_wait_seconds=30, web_threads=2)
    assert settings.waiting_slots == 1
    app = ingress.app.create_app(settings, store, publisher).test_client()
    first = threading.Thread(
        target=app.post, args=("/gemini/getActivation",), kwargs={"json": GOOD}
    )
    first.start()
    while not publisher.published:
        first.join(0.01)
    second = app.application.test_client().post("/gemini/getActivation", json=GOOD)
    assert second.status_code == 504
    assert first.is_alive()
    ended = [decode(message).activation.activation_id for message in publisher.published]
    for activation_id in ended:
        store.delete(activation_id)
    first.join(30)
    assert not first.is_alive()


def test_a_failed_publish_is_accepted_and_due_at_once(
    apps: Apps, store: SqliteStore, time: FakeTime
) -> None:
    apps.publisher.broken = True
    answer = apps.ingress.post("/activations", json=GOOD)
    assert answer.status_code == 202
    apps.publisher.broken = False
    counts = apps.worker.post("/tasks/sweep").get_json()
    assert counts["republished"] == 1
    deliver(apps)
    assert apps.ingress.get(answer.headers["Location"]).get_json()["done"]


def test_a_failed_publish_asks_for_a_human(apps: Apps, time: FakeTime) -> None:
    """A topic that was deleted does not come back by itself."""
    apps.publisher.broken = True
    with capture_logs() as logs:
        apps.ingress.post("/activations", json=GOOD)
        time.advance(60)
        apps.worker.post("/tasks/sweep")
    assert [line["event"] for line in logs if line.get("alert")] == [
        "activation.publish_failed",
        "sweep.publish_failed",
    ]


def test_a_store_that_is_away_is_a_503_and_nothing_is_published(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    faulty = StoreWithFaults(store)
    faulty.raises.append(StoreUnavailable("told to"))
    app = ingress.app.create_app(Settings(auth="none"), faulty, publisher, time.now).test_client()
    answer = app.post("/activations", json=GOOD)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert answer.content_type == "application/problem+json"
    assert publisher.published == []


def test_an_own_create_whose_answer_was_lost_is_recognised_and_published(
    store: SqliteStore, publisher: FakePublisher, database: Database
) -> None:
    faulty = StoreWithFaults(store)
    faulty.applied_but_raises.append(AlreadyExists("the retry met our own write"))
    app = ingress.app.create_app(Settings(auth="none"), faulty, publisher).test_client()
    assert app.post("/activations", json=GOOD).status_code == 202
    assert len(publisher.published) == 1
    assert count(database) == 1


def test_cancel_ends_it_and_twice_is_the_same(apps: Apps) -> None:
    links = apps.ingress.post("/activations", json=GOOD).get_json()["links"]
    first = apps.ingress.post(links["cancel"])
    second = apps.ingress.post(links["cancel"])
    assert first.get_json()["status"] == "cancelled"
    assert first.get_json() == second.get_json()
    assert deliver(apps) == 204
    assert apps.ingress.get(links["self"]).get_json()["status"] == "cancelled"


def test_what_is_completed_cannot_be_cancelled(apps: Apps) -> None:
    links = apps.ingress.post("/activations", json=GOOD).get_json()["links"]
    deliver(apps)
    assert apps.ingress.post(links["cancel"]).status_code == 409


def test_a_429_of_the_daily_limit_says_when_the_oldest_submit_is_a_day_old(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", daily_limit_per_user=2)
    app = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    app.post("/activations", json=GOOD)
    time.advance(3600)
    app.post("/activations", json=GOOD)
    time.advance(0.5)
    refused = app.post("/activations", json=GOOD)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(23 * 3600)
    assert len(publisher.published) == 2


def test_after_the_retry_after_of_the_daily_limit_there_is_room_for_one(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", daily_limit_per_user=2)
    app = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    app.post("/activations", json=GOOD)
    time.advance(3600)
    app.post("/activations", json=GOOD)
    wait = int(app.post("/activations", json=GOOD).headers["Retry-After"])
    time.advance(wait - 1)
    early = app.post("/activations", json=GOOD).status_code
    time.advance(1)
    then = [app.post("/activations", json=GOOD).status_code for _ in range(2)]
    assert [early, *then] == [429, 202, 429]


def test_another_origin_is_answered_only_when_it_is_listed(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    settings = Settings(auth="none", cors_allowed_origins=("https://app.example",))
    app = ingress.app.create_app(settings, store, publisher).test_client()
    preflight = {"Access-Control-Request-Method": "POST"}
    listed = app.options("/activations", headers={"Origin": "https://app.example", **preflight})
    other = app.options("/activations", headers={"Origin": "https://evil.example", **preflight})
    assert listed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in other.headers


def test_with_firebase_a_call_without_a_token_is_a_401(
    store: SqliteStore, publisher: FakePublisher, database: Database
) -> None:
    settings = Settings(auth="firebase", google_cloud_project="innerjourney")
    app = ingress.app.create_app(settings, store, publisher).test_client()
    for answer in (
        app.post("/activations", json=GOOD),
        app.post("/gemini/getActivation", json=GOOD),
        app.get("/activations/a1"),
        app.post("/activations/a1/cancel"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert count(database) == 0


def test_livez_says_up_and_readyz_names_what_is_away(apps: Apps, time: FakeTime) -> None:
    assert apps.ingress.get("/livez").status_code == 200
    assert apps.ingress.get("/readyz").status_code == 200
    apps.publisher.broken = True
    time.advance(2)
    away = apps.ingress.get("/readyz")
    assert away.status_code == 503
    assert away.get_json()["reasons"] == {"queue": "told to"}
    assert apps.ingress.get("/livez").status_code == 200
