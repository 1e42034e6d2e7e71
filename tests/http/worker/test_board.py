"""The worker's `/board` over HTTP: on, off, away, and nothing personal in it."""

import pytest
from flask.testing import FlaskClient

import worker.app
from local.sqlite.store import SqliteStore
from shared.domain.messages import encode
from shared.errors import StoreUnavailable
from shared.http.headers import PAGE
from shared.settings import Settings
from tests.builders import LEASE, an_activation, an_answer
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini, StoreWithFaults
from tests.http.conftest import Apps
from tests.http.pushes import ACCOUNT, AUDIENCE, push
from tests.unit.gemini.clients import a_client
from worker.gemini.port import Health, KeyRefused
from worker.wiring import build_gemini

CANARY = "kanariefågel-7391"


@pytest.fixture
def watched(store: SqliteStore) -> StoreWithFaults:
    return StoreWithFaults(store)


def client(store: StoreWithFaults, time: FakeTime, settings: Settings | None = None) -> FlaskClient:
    app = worker.app.create_app(
        settings or Settings(board=True), store, FakePublisher(), ScriptedGemini(), time.now
    )
    return app.test_client()


def test_the_board_is_a_page_that_loads_only_its_own_files(apps: Apps) -> None:
    answer = apps.worker.get("/board")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == PAGE
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("name", ["board.css", "board.js"])
def test_its_files_are_served_to_be_asked_for_again_by_etag(apps: Apps, name: str) -> None:
    with apps.worker.get(f"/board/{name}") as answer:
        assert (answer.status_code, answer.cache_control.no_cache) == (200, True)
        etag = answer.headers["ETag"]
    with apps.worker.get(f"/board/{name}", headers={"If-None-Match": etag}) as again:
        assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["board.html", "away.html", "base.html", "__init__.py", "..%2Fboard.py", "x"]
)
def test_nothing_else_of_its_folder_is_served(apps: Apps, name: str) -> None:
    assert apps.worker.get(f"/board/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/board", "/board/", "/board/board.css"])
def test_unless_asked_for_it_is_like_any_address_where_nothing_is(
    watched: StoreWithFaults, time: FakeTime, path: str
) -> None:
    answer = client(watched, time, Settings()).get(path)
    missing = client(watched, time, Settings()).get("/nothing")
    assert (answer.status_code, answer.data) == (404, missing.data)


def test_it_asks_for_no_token_of_a_push(watched: StoreWithFaults, time: FakeTime) -> None:
    settings = Settings(board=True, push_audience=AUDIENCE, push_service_account=ACCOUNT)
    assert client(watched, time, settings).get("/board").status_code == 200


def test_nothing_personal_is_in_it_in_any_state(
    watched: StoreWithFaults, store: SqliteStore, time: FakeTime
) -> None:
    for name in ("queued", "claimed", "done"):
        store.create(
            an_activation(
                f"{CANARY}-{name}", goal=CANARY, user_id=CANARY, language="xx", now=time.now()
            )
        )
    claimed = store.get(f"{CANARY}-claimed")
    done = store.get(f"{CANARY}-done")
    assert claimed is not None
    assert done is not None
    now = time.now()
    store.replace(
        claimed.activation.claimed(claim_id=CANARY, now=now, lease=LEASE), claimed.version
    )
    answer = an_answer(step=an_answer().step.model_copy(update={"title": CANARY}))
    store.replace(done.activation.completed(answer, now=now), done.version)
    page = client(watched, time).get("/board").text
    assert "of 3 accepted" in page
    assert CANARY not in page


def test_a_store_that_is_away_is_said_on_a_page_that_goes_on(
    watched: StoreWithFaults, time: FakeTime
) -> None:
    watched.raises.append(StoreUnavailable(CANARY))
    browser = client(watched, time)
    answer = browser.get("/board")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "The store does not answer" in answer.text
    assert "board.js" in answer.text
    assert answer.headers["Content-Security-Policy"] == PAGE
    assert answer.headers["Retry-After"]
    assert CANARY not in answer.text
    time.advance(5)
    assert browser.get("/board").status_code == 200


def test_it_can_only_be_looked_at(apps: Apps) -> None:
    assert apps.worker.post("/board").status_code == 405


def test_a_refused_key_is_on_the_board_after_one_call_and_gone_after_a_good_one(
    store: SqliteStore, time: FakeTime
) -> None:
    gemini = ScriptedGemini(KeyRefused("API_KEY_INVALID"))
    app = worker.app.create_app(
        Settings(board=True), store, FakePublisher(), a_client(time, gemini), time.now
    ).test_client()
    pages = []
    for name in ("refused", "accepted"):
        stored = store.create(an_activation(name, now=time.now()))
        assert push(app, encode(stored.activation, stored.version)).status_code == 204
        pages.append(app.get("/board").text)
        time.advance(5)
    assert ["Gemini refused the key" in page for page in pages] == [True, False]


def test_the_board_sees_the_breaker_of_each_model() -> None:
    with_key = build_gemini(Settings.model_validate({"gemini_api_key": "k"}))
    both = dict.fromkeys(Settings().gemini_models, "closed")
    assert with_key.health() == Health(key="ok", breakers=both)
    assert build_gemini(Settings()).health() == Health(key="none")
