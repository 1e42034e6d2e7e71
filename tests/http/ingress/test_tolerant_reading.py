"""What clients see of documents that a later release, or a person with a console, has written."""

from datetime import timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from tests.builders import NOON, an_activation, an_answer, step_fields
from tests.http.conftest import Apps
from tests.support.stored_documents import UNREADABLE, Change, change_document, later_release


@pytest.fixture
def fifty(store: SqliteStore) -> list[str]:
    """Completed ones of the caller, the oldest first."""
    for number in range(50):
        complete(store, f"good{number:02}", minute=number)
    return [f"good{number:02}" for number in range(50)]


def complete(store: SqliteStore, activation_id: str, *, minute: int) -> None:
    now = NOON - timedelta(hours=2) + timedelta(minutes=minute)
    created = store.create(an_activation(activation_id, user_id="local", now=now))
    store.replace(created.activation.completed(an_answer(), now=now), created.version)


def listed(apps: Apps) -> list[str]:
    page = apps.ingress.get("/activations?limit=100").get_json()
    return [item["activation_id"] for item in page["items"]]


@pytest.fixture
def later(store: SqliteStore, database: Database) -> str:
    complete(store, "later", minute=60)
    change_document(database, "later", later_release)
    return "later"


def test_values_of_a_later_release_are_shown_as_they_are(apps: Apps, later: str) -> None:
    answer = apps.ingress.get(f"/activations/{later}")
    shown = answer.get_json()
    assert (answer.status_code, shown["done"]) == (200, True)
    assert (shown["source"], shown["fallback_reason"]) == ("coach", "holiday")
    assert (shown["step"]["activation_type"], shown["step"]["title"]) == ("dance", "x" * 200)


def test_fields_of_a_later_release_are_not_shown(apps: Apps, later: str) -> None:
    shown = apps.ingress.get(f"/activations/{later}").get_json()
    assert "feedback" not in shown
    assert shown["step"].keys() == step_fields().keys()
    assert "audio_tokens" not in shown["usage"]


def test_its_etag_is_the_one_of_what_is_shown(apps: Apps, later: str) -> None:
    etag = apps.ingress.get(f"/activations/{later}").headers["ETag"]
    again = apps.ingress.get(f"/activations/{later}", headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_one_of_a_later_release_is_listed_among_fifty_others(
    apps: Apps, fifty: list[str], later: str
) -> None:
    assert listed(apps) == [later, *reversed(fifty)]


def test_the_latest_one_may_be_of_a_later_release(apps: Apps, fifty: list[str], later: str) -> None:
    answer = apps.ingress.get("/user/activation")
    shown = answer.get_json()
    assert (answer.status_code, shown["activation_id"]) == (200, later)
    assert (shown["activation_type"], shown["source"]) == ("dance", "coach")


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_one_hides_none_of_fifty_others(
    apps: Apps, store: SqliteStore, database: Database, fifty: list[str], change: Change
) -> None:
    complete(store, "spoilt", minute=60)
    change_document(database, "spoilt", change)
    assert listed(apps) == fifty[::-1]
    assert apps.ingress.get("/user/activation").get_json()["activation_id"] == fifty[-1]


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/activations/spoilt"), ("POST", "/activations/spoilt/cancel")]
)
def test_an_unreadable_one_itself_is_a_503(
    apps: Apps, store: SqliteStore, database: Database, change: Change, method: str, path: str
) -> None:
    store.create(an_activation("spoilt", user_id="local"))
    change_document(database, "spoilt", change)
    answer = apps.ingress.open(path, method=method)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_its_owner_can_erase_an_unreadable_one(
    apps: Apps, store: SqliteStore, database: Database, change: Change
) -> None:
    store.create(an_activation("spoilt", user_id="local"))
    change_document(database, "spoilt", change)
    assert apps.ingress.delete("/activations/spoilt").status_code == 204
    assert database.execute("SELECT count(*) FROM activations").fetchone()[0] == 0


def test_an_unreadable_one_of_somebody_else_is_as_good_as_missing(
    apps: Apps, store: SqliteStore, database: Database
) -> None:
    store.create(an_activation("theirs", user_id="somebody else"))
    change_document(database, "theirs", UNREADABLE["status is a number"])
    answers = [apps.ingress.delete(f"/activations/{name}") for name in ("theirs", "missing")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert database.execute("SELECT count(*) FROM activations").fetchone()[0] == 1


def test_pages_go_on_behind_one_of_unreadable_ones_alone(
    apps: Apps, database: Database, fifty: list[str]
) -> None:
    for activation_id in fifty[40:]:
        change_document(database, activation_id, UNREADABLE["mood 7"])
    first = apps.ingress.get("/activations?limit=10").get_json()
    second = apps.ingress.get(f"/activations?limit=10&cursor={first['next_cursor']}").get_json()
    assert first["items"] == []
    assert [item["activation_id"] for item in second["items"]] == fifty[39:29:-1]


def test_one_in_a_status_of_a_later_release_is_shown_and_not_done(
    apps: Apps, store: SqliteStore, database: Database
) -> None:
    store.create(an_activation("paused", user_id="local"))
    change_document(database, "paused", lambda document: document.update(status="paused"))
    shown = apps.ingress.get("/activations/paused").get_json()
    assert (shown["status"], shown["done"], shown["step"]) == ("paused", False, None)


def test_one_in_a_status_of_a_later_release_can_be_cancelled_by_that_release_alone(
    apps: Apps, store: SqliteStore, database: Database
) -> None:
    store.create(an_activation("paused", user_id="local"))
    change_document(database, "paused", lambda document: document.update(status="paused"))
    answer = apps.ingress.post("/activations/paused/cancel")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
