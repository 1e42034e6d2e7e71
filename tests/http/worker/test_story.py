"""The worker's `/board/activations/{id}` over HTTP: a page and JSON, and nothing personal in it."""

import pytest
from flask.testing import FlaskClient

import worker.app
from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.profile import Profile
from shared.http.headers import LONGEST_LIST, PAGE
from shared.settings import Settings
from tests.builders import LEASE, an_activation, an_answer
from tests.doubles import FakePublisher, FakeTime, ScriptedGemini
from tests.http.conftest import GOOD, Apps, deliver
from tests.http.pushes import ACCOUNT, AUDIENCE
from tests.support.stored_documents import UNREADABLE, change_document

CANARY = "kanariefågel-7391"
AS_JSON = {"Accept": "application/json"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def a_worker(store: SqliteStore, time: FakeTime, settings: Settings) -> FlaskClient:
    app = worker.app.create_app(settings, store, FakePublisher(), ScriptedGemini(), time.now)
    return app.test_client()


def answered(apps: Apps) -> str:
    """Where the story of one is that Gemini has answered."""
    made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    assert deliver(apps) == 204
    return f"/board/activations/{made}"


@pytest.mark.parametrize("headers", [BROWSER, {}, {"Accept": "*/*"}])
def test_it_is_a_page_that_loads_only_its_own_files(apps: Apps, headers: dict[str, str]) -> None:
    answer = apps.worker.get(answered(apps), headers=headers)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == PAGE
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Accept"


def test_it_is_json_where_the_caller_prefers_that(apps: Apps) -> None:
    answer = apps.worker.get(answered(apps), headers=AS_JSON)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    told = answer.get_json()
    assert (told["source"], told["attempt"], told["usage"]["gemini_calls"]) == ("gemini", 1, 1)
    assert told["events"][0]["what"] == "Submitted"


def test_a_page_of_a_done_one_is_not_refreshed(apps: Apps) -> None:
    assert "board.js" not in apps.worker.get(answered(apps)).text


def test_a_page_of_a_waiting_one_goes_on_by_itself(apps: Apps) -> None:
    made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    page = apps.worker.get(f"/board/activations/{made}").text
    assert "board.js" in page
    assert "It is queued, and waits for a worker." in page


@pytest.mark.parametrize("activation_id", ["nobody", "a" * 65, "a%0Ab", "__a__"])
def test_what_is_not_there_is_a_page_that_says_so(apps: Apps, activation_id: str) -> None:
    answer = apps.worker.get(f"/board/activations/{activation_id}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is no such activation" in answer.text


def test_what_is_not_there_is_a_problem_in_json(apps: Apps) -> None:
    answer = apps.worker.get("/board/activations/nobody", headers=AS_JSON)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.get_json()["detail"] == "There is no such activation."


@pytest.mark.parametrize(
    ("headers", "mimetype"),
    [(BROWSER, "text/html"), (AS_JSON, "application/problem+json")],
)
def test_one_that_can_not_be_read_is_a_503(
    apps: Apps, database: Database, headers: dict[str, str], mimetype: str
) -> None:
    where = answered(apps)
    change_document(database, where.rpartition("/")[2], UNREADABLE["mood 7"])
    answer = apps.worker.get(where, headers=headers)
    assert (answer.status_code, answer.mimetype) == (503, mimetype)


def test_the_page_of_one_that_can_not_be_read_names_its_log_line(
    apps: Apps, database: Database
) -> None:
    where = answered(apps)
    change_document(database, where.rpartition("/")[2], UNREADABLE["mood 7"])
    assert "store.unreadable" in apps.worker.get(where).text


@pytest.mark.parametrize("headers", [BROWSER, AS_JSON])
@pytest.mark.parametrize("state", ["queued", "processing", "completed", "cancelled"])
def test_nothing_personal_is_in_it_in_any_state(
    store: SqliteStore, time: FakeTime, headers: dict[str, str], state: str
) -> None:
    profile = Profile(focus_area=CANARY)
    made = store.create(an_activation("a1", goal=CANARY, user_id=CANARY, profile=profile))
    held = made.activation.claimed(claim_id="c", now=time.now(), lease=LEASE)
    answer = an_answer(step=an_answer().step.model_copy(update={"title": CANARY}))
    becomes = {
        "queued": made.activation,
        "processing": held,
        "completed": held.completed(answer, now=time.now()),
        "cancelled": held.cancelled(now=time.now()),
    }
    store.replace(becomes[state], made.version)
    told = a_worker(store, time, Settings(board=True)).get("/board/activations/a1", headers=headers)
    assert told.status_code == 200
    assert state in told.text
    assert CANARY not in told.text


def test_where_the_board_is_off_there_is_no_story(store: SqliteStore, time: FakeTime) -> None:
    store.create(an_activation("a1"))
    answer = a_worker(store, time, Settings()).get("/board/activations/a1", headers=AS_JSON)
    missing = a_worker(store, time, Settings()).get("/nothing", headers=AS_JSON)
    assert (answer.status_code, answer.data) == (404, missing.data)


def test_it_asks_for_no_token_of_a_push(store: SqliteStore, time: FakeTime) -> None:
    store.create(an_activation("a1"))
    settings = Settings(board=True, push_audience=AUDIENCE, push_service_account=ACCOUNT)
    assert a_worker(store, time, settings).get("/board/activations/a1").status_code == 200


def test_it_can_only_be_looked_at(apps: Apps) -> None:
    assert apps.worker.post("/board/activations/a1").status_code == 405


def test_a_long_accept_prefers_nothing(apps: Apps) -> None:
    headers = {"Accept": ", ".join(["application/json"] * LONGEST_LIST)}
    assert apps.worker.get(answered(apps), headers=headers).mimetype == "text/html"


def test_the_board_leads_to_the_story_of_whoever_has_waited_too_long(
    apps: Apps, time: FakeTime
) -> None:
    made = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    time.advance(400)
    page = apps.worker.get("/board").text
    assert f'href="/board/activations/{made}"' in page
