"""What every answer carries, what none shows, and how much one caller may ask for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

import ingress.app
import worker.app
from local.sqlite.store import SqliteStore
from shared.errors import StoreUnavailable
from shared.settings import Settings
from shared.telemetry.logs import configure_logging
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini, StoreWithFaults
from tests.http.conftest import GOOD, Apps
from tests.support.google_keys import GoogleKeys

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/activations", 200),
    ("GET", "/nothing", 404),
    ("PUT", "/activations", 405),
    ("POST", "/activations", 415),
    ("GET", "/activations/a1", 404),
    ("OPTIONS", "/activations", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
@pytest.mark.parametrize("name", list(SECURITY))
def test_every_answer_carries(apps: Apps, method: str, path: str, status: int, name: str) -> None:
    answer = apps.ingress.open(path, method=method)
    assert answer.status_code == status
    assert answer.headers[name] == SECURITY[name]


def test_the_workers_answers_carry_them_too(apps: Apps) -> None:
    answer = apps.worker.get("/nothing")
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert answer.headers["X-Request-Id"]


def test_tls_is_insisted_on_where_there_is_some(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    settings = Settings(auth="none", k_service="ingress")
    app = ingress.app.create_app(settings, store, publisher).test_client()
    assert "max-age=" in app.get("/").headers["Strict-Transport-Security"]


def test_without_tls_it_is_not(apps: Apps) -> None:
    assert "Strict-Transport-Security" not in apps.ingress.get("/").headers


@pytest.mark.parametrize(("method", "path", "status"), [a for a in ANSWERS if a[2] >= 400])
def test_what_werkzeug_refuses_is_a_problem_as_well(
    apps: Apps, method: str, path: str, status: int
) -> None:
    answer = apps.ingress.open(path, method=method)
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["status"] == status
    assert "erkzeug" not in answer.get_data(as_text=True)


def test_a_405_says_what_is_allowed(apps: Apps) -> None:
    allowed = apps.ingress.put("/activations").headers["Allow"]
    assert {"GET", "POST", "DELETE"} <= set(allowed.split(", "))


def test_a_bug_shows_nothing_of_itself(apps: Apps, publisher: FakePublisher) -> None:
    def explode(_: object) -> None:
        raise RuntimeError("secret-inside")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(publisher, "publish", explode)
        answer = apps.ingress.post("/activations", json=GOOD)
    assert answer.status_code == 500
    shown = answer.get_data(as_text=True) + str(answer.headers)
    assert "secret-inside" not in shown
    assert "Traceback" not in shown
    assert "RuntimeError" not in shown


# Request ids


def test_an_answer_has_a_request_id_of_its_own(apps: Apps) -> None:
    first, second = (apps.ingress.get("/").headers["X-Request-Id"] for _ in range(2))
    assert len(first) == 32
    assert first != second


def test_the_callers_own_id_is_taken(apps: Apps) -> None:
    answer = apps.ingress.get("/nothing", headers={"X-Request-Id": "8e03978e-40d5-43e8"})
    assert answer.headers["X-Request-Id"] == "8e03978e-40d5-43e8"


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "komma igång", "a b c d e f", "a;b=c;d=e"]
)
def test_what_is_no_id_is_not_repeated(apps: Apps, given: str) -> None:
    header = {"X-Request-Id": given.encode().decode("latin-1")}
    assert apps.ingress.get("/", headers=header).headers["X-Request-Id"] != given


def test_every_line_of_a_request_has_its_id_and_no_path(
    store: SqliteStore,
    publisher: FakePublisher,
    gemini: ScriptedGemini,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO", json=True)
    settings = Settings(auth="none", sync_wait_seconds=0)
    app = ingress.app.create_app(settings, store, publisher).test_client()
    app.post("/activations", json=GOOD, headers={"X-Request-Id": "the-request-1"})
    app.get("/activations/kanarie-0123", headers={"X-Request-Id": "the-request-2"})
    app.get("/kanarie?goal=kanarie", headers={"X-Request-Id": "the-request-3"})
    worker.app.create_app(settings, store, publisher, gemini).test_client().get("/kanarie")
    lines = capsys.readouterr().err.splitlines()
    assert sum('"the-request-1"' in line for line in lines) == 2  # accepted, and the request
    assert all("request_id" in line for line in lines)
    assert "kanarie" not in "".join(lines)


def test_health_is_not_logged(apps: Apps, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    apps.ingress.get("/livez")
    apps.ingress.get("/readyz")
    assert capsys.readouterr().out == ""


# Limits


def limited(store: SqliteStore, publisher: FakePublisher, **settings: object) -> Flask:
    fields = {"auth": "none", "sync_wait_seconds": 0, **settings}
    return ingress.app.create_app(Settings.model_validate(fields), store, publisher)


def statuses(client: FlaskClient, number: int, **more: object) -> list[int]:
    return [
        client.post("/activations", json=GOOD, environ_base=more).status_code for _ in range(number)
    ]


def test_a_burst_of_one_user_is_a_429_that_says_when_to_come_back(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    app = limited(store, publisher, burst_limit_per_user=3).test_client()
    assert statuses(app, 4) == [202, 202, 202, 429]
    refused = app.post("/activations", json=GOOD)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.content_type == "application/problem+json"
    assert len(publisher.published) == 3


def test_polls_are_no_burst(store: SqliteStore, publisher: FakePublisher) -> None:
    settings = {"burst_limit_per_user": 1, "burst_limit_per_address": 1}
    app = limited(store, publisher, **settings).test_client()
    where = app.post("/activations", json=GOOD).headers["Location"]
    assert {app.get(where).status_code for _ in range(20)} == {200}


def test_a_burst_from_one_address_does_not_stop_another(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    app = limited(store, publisher, burst_limit_per_address=2).test_client()
    assert statuses(app, 3, REMOTE_ADDR="192.0.2.1") == [202, 202, 429]
    assert statuses(app, 1, REMOTE_ADDR="192.0.2.2") == [202]


def test_guessing_tokens_is_a_burst_as_well(store: SqliteStore, publisher: FakePublisher) -> None:
    settings = {"auth": "firebase", "google_cloud_project": "p", "burst_limit_per_address": 2}
    app = limited(store, publisher, **settings).test_client()
    assert statuses(app, 3) == [401, 401, 429]


def test_guessing_tokens_by_reading_is_one_too(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    settings = {"auth": "firebase", "google_cloud_project": "p", "burst_limit_per_address": 2}
    app = limited(store, publisher, **settings).test_client()
    guess = {"Authorization": "Bearer guess"}
    assert [app.get("/activations/a1", headers=guess).status_code for _ in range(4)] == [
        *(401, 401, 429, 429),
    ]
    assert app.get("/livez").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bad_tokens_lock_out_no_good_one_behind_the_same_address(
    store: SqliteStore, publisher: FakePublisher, method: str
) -> None:
    with GoogleKeys() as keys:
        app = limited(
            store,
            publisher,
            auth="firebase",
            google_cloud_project="p",
            auth_jwks_url=keys.url,
            burst_limit_per_address=2,
        ).test_client()
        claims: dict[str, object] = {"iss": "https://securetoken.google.com/p", "aud": "p"}
        good = {"Authorization": f"Bearer {keys.sign({**claims, 'sub': 'anna'})}"}
        bad = {"Authorization": f"Bearer {keys.sign({**claims, 'aud': 'q', 'sub': 'anna'})}"}
        guesses = [
            app.open("/activations", method=method, headers=bad).status_code for _ in range(4)
        ]
        assert guesses == [401, 401, 429, 429]
        assert app.get("/activations", headers=good).status_code == 200
        assert app.post("/activations", json=GOOD, headers=good).status_code == 202


def test_writes_of_good_tokens_are_limited_by_address_as_well(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    """Anonymous accounts cost nothing: the limit of one user stops nobody who makes many."""
    with GoogleKeys() as keys:
        app = limited(
            store,
            publisher,
            auth="firebase",
            google_cloud_project="p",
            auth_jwks_url=keys.url,
            burst_limit_per_address=2,
        ).test_client()
        claims: dict[str, object] = {"iss": "https://securetoken.google.com/p", "aud": "p"}
        answers = [
            app.post(
                "/activations",
                json=GOOD,
                headers={"Authorization": f"Bearer {keys.sign({**claims, 'sub': user})}"},
            )
            for user in ("anna", "bo", "cia")
        ]
        assert [answer.status_code for answer in answers] == [202, 202, 429]


@pytest.mark.parametrize("path", ["/activations", "/activations/a1/cancel"])
def test_one_user_locks_out_nobody_else_behind_their_address(
    store: SqliteStore, publisher: FakePublisher, path: str
) -> None:
    with GoogleKeys() as keys:
        app = limited(
            store,
            publisher,
            auth="firebase",
            google_cloud_project="p",
            auth_jwks_url=keys.url,
            burst_limit_per_user=1,
            burst_limit_per_address=3,
        ).test_client()
        claims: dict[str, object] = {"iss": "https://securetoken.google.com/p", "aud": "p"}
        anna, bo = (
            {"Authorization": f"Bearer {keys.sign({**claims, 'sub': user})}"}
            for user in ("anna", "bo")
        )
        for _ in range(5):
            app.post(path, json=GOOD, headers=anna)
        assert app.post("/activations", json=GOOD, headers=bo).status_code == 202


def test_listing_again_and_again_is_a_burst(store: SqliteStore, publisher: FakePublisher) -> None:
    app = limited(store, publisher, burst_limit_per_user=2).test_client()
    assert [app.get("/activations").status_code for _ in range(3)] == [200, 200, 429]


def test_an_encoded_body_is_refused(apps: Apps) -> None:
    answer = apps.ingress.post("/activations", json=GOOD, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("forwarded", "expected"), [("192.0.2.1", 429), ("192.0.2.9, 192.0.2.2", 202)]
)
def test_on_cloud_run_an_address_is_what_its_front_end_saw(
    store: SqliteStore, publisher: FakePublisher, forwarded: str, expected: int
) -> None:
    """It appends; what stands before the last comma was the client's own to write."""
    app = limited(store, publisher, k_service="ingress", burst_limit_per_address=1).test_client()
    app.post("/activations", json=GOOD, headers={"X-Forwarded-For": "192.0.2.9, 192.0.2.1"})
    answer = app.post("/activations", json=GOOD, headers={"X-Forwarded-For": forwarded})
    assert answer.status_code == expected


def test_elsewhere_the_header_is_not_believed(store: SqliteStore, publisher: FakePublisher) -> None:
    app = limited(store, publisher, burst_limit_per_address=1).test_client()
    spoofed = [{"X-Forwarded-For": f"192.0.2.{n}"} for n in range(3)]
    assert [
        app.post("/activations", json=GOOD, headers=headers).status_code for headers in spoofed
    ] == [202, 429, 429]


def test_the_daily_limit_holds_across_processes(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    """Each app counts in the store that both share."""
    one, two = (limited(store, publisher, daily_limit_per_user=3).test_client() for _ in range(2))
    assert [*statuses(one, 2), *statuses(two, 2), *statuses(one, 1)] == [202, 202, 202, 429, 429]


def test_erasing_all_and_a_restart_make_no_room_for_more(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    before = limited(store, publisher, daily_limit_per_user=5).test_client()
    assert statuses(before, 6) == [202] * 5 + [429]
    assert before.delete("/activations").status_code == 204
    restarted = limited(store, publisher, daily_limit_per_user=5).test_client()
    assert statuses(restarted, 1) == [429]
    assert len(publisher.published) == 5


@pytest.mark.parametrize("path", ["one", "all"])
def test_erasing_makes_no_room_for_more(
    store: SqliteStore, publisher: FakePublisher, path: str
) -> None:
    """Else create, erase, create … would cost a Gemini call each, for ever."""
    app = limited(store, publisher, daily_limit_per_user=2).test_client()
    for _ in range(2):
        where = app.post("/activations", json=GOOD).headers["Location"]
        app.delete(where if path == "one" else "/activations")
    assert statuses(app, 1) == [429]
    assert len(publisher.published) == 2


def test_fifty_at_once_over_two_processes_get_no_more_than_the_limit(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    apps = [limited(store, publisher, daily_limit_per_user=5) for _ in range(2)]
    together = threading.Barrier(50)

    def at_once(number: int) -> int:
        client = apps[number % 2].test_client()
        together.wait()
        return client.post("/activations", json=GOOD).status_code

    with ThreadPoolExecutor(50) as pool:
        found = sorted(pool.map(at_once, range(50)))
    assert found == [202] * 5 + [429] * 45


def test_a_submit_that_failed_and_its_replay_take_no_place(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    faulty = StoreWithFaults(store)
    settings = Settings(auth="none", daily_limit_per_user=1)
    app = ingress.app.create_app(settings, faulty, publisher).test_client()
    faulty.raises.append(StoreUnavailable("told to"))
    key = {"Idempotency-Key": "k"}
    replies = [app.post("/activations", json=GOOD, headers=key).status_code for _ in range(3)]
    assert replies == [503, 202, 202]
    assert app.post("/activations", json=GOOD).status_code == 429


def test_erasing_what_is_older_than_a_day_costs_no_place(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", daily_limit_per_user=1)
    app = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    where = app.post("/activations", json=GOOD).headers["Location"]
    time.advance(25 * 3600)
    app.delete(where)
    assert app.post("/activations", json=GOOD).status_code == 202


# CORS


def test_another_origin_may_send_and_read_what_the_contract_needs(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    app = limited(store, publisher, cors_allowed_origins=("https://app.example",)).test_client()
    origin = {"Origin": "https://app.example"}
    asked = "authorization,content-type,idempotency-key,if-none-match,prefer"
    preflight = app.options(
        "/activations/a1",
        headers={
            **origin,
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": asked,
        },
    )
    allowed = {h.strip() for h in preflight.headers["Access-Control-Allow-Headers"].split(",")}
    assert set(asked.split(",")) <= {header.lower() for header in allowed}
    assert "DELETE" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Max-Age"] == "7200"
    answer = app.get("/activations/a1", headers=origin)
    assert answer.status_code == 404  # a refusal can be read, too: clients show its detail
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    exposed = answer.headers["Access-Control-Expose-Headers"]
    for name in ("ETag", "Location", "Retry-After", "Preference-Applied", "X-Request-Id"):
        assert name in exposed
    assert "Access-Control-Allow-Credentials" not in answer.headers
