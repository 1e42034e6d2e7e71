"""The caller's own activations: list, the latest step, erase one and all."""

import threading
from datetime import timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from tests.builders import NOON, an_activation, an_answer, step_fields
from tests.doubles import FakeTime, ScriptedGemini
from tests.http.conftest import GOOD, Apps, deliver
from tests.http.pushes import push


def ids(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["activation_id"] for item in page["items"]]


def create(store: SqliteStore, name: str, minute: int, *, done: bool = False, **more: str) -> None:
    created = store.create(
        an_activation(name, now=NOON + timedelta(minutes=minute), **{"user_id": "local", **more})
    )
    if done:
        store.replace(created.activation.completed(an_answer(), now=NOON), created.version)


# List


def test_the_list_is_the_callers_own_newest_first(apps: Apps, store: SqliteStore) -> None:
    create(store, "a1", 1)
    create(store, "b2", 2)
    create(store, "c3", 3, user_id="somebody else")
    answer = apps.ingress.get("/activations")
    assert ids(answer.get_json()) == ["b2", "a1"]
    assert answer.get_json()["next_cursor"] is None
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_item_is_the_representation(apps: Apps) -> None:
    created = apps.ingress.post("/activations", json=GOOD).get_json()
    assert apps.ingress.get("/activations").get_json()["items"] == [created]


def test_pages_go_on_where_the_last_one_ended_whatever_comes_in_between(
    apps: Apps, store: SqliteStore
) -> None:
    for number in range(5):
        create(store, f"a{number}", number)
    first = apps.ingress.get("/activations?limit=2").get_json()
    create(store, "new", 60)
    second = apps.ingress.get(f"/activations?limit=2&cursor={first['next_cursor']}").get_json()
    third = apps.ingress.get(f"/activations?limit=2&cursor={second['next_cursor']}").get_json()
    assert [ids(first), ids(second), ids(third)] == [["a4", "a3"], ["a2", "a1"], ["a0"]]
    assert third["next_cursor"] is None


def test_a_page_is_20_unless_told(apps: Apps, store: SqliteStore) -> None:
    for number in range(21):
        create(store, f"a{number}", number)
    assert len(apps.ingress.get("/activations").get_json()["items"]) == 20


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        *((f"limit={limit}", "/limit") for limit in ("0", "-1", "101", "1000", "x", "1.0", "")),
        *((f"limit={limit}", "/limit") for limit in ("٣", "00000000019", "9" * 5000)),
        *((f"cursor={cursor}", "/cursor") for cursor in ("x", "", "A" * 50, "%ff", "MSAx")),
    ],
)
def test_a_bad_limit_or_cursor_is_a_422(apps: Apps, query: str, pointer: str) -> None:
    answer = apps.ingress.get(f"/activations?{query}")
    if query == "cursor=MSAx":  # a cursor could say so: from 1970, before everything
        assert answer.get_json()["items"] == []
        return
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(apps: Apps, store: SqliteStore) -> None:
    for number in range(3):
        create(store, f"t{number}", number, user_id="somebody else")
    theirs = store.page("somebody else", limit=1).cursor
    assert apps.ingress.get(f"/activations?cursor={theirs}").get_json()["items"] == []


# The latest


def test_the_latest_completed_one_is_flat(apps: Apps, store: SqliteStore) -> None:
    create(store, "old", 1, done=True)
    create(store, "latest", 2, done=True)
    create(store, "not-yet", 3)
    create(store, "theirs", 4, done=True, user_id="somebody else")
    body = apps.ingress.get("/user/activation").get_json()
    assert body == {**step_fields(), "activation_id": "latest", "source": "gemini"}
    assert len(body) == 17


def test_it_is_found_behind_pages_of_others(apps: Apps, store: SqliteStore) -> None:
    create(store, "done", 0, done=True)
    for number in range(45):
        create(store, f"a{number}", number + 1)
    assert apps.ingress.get("/user/activation").get_json()["activation_id"] == "done"


def test_without_one_it_is_a_404(apps: Apps, store: SqliteStore) -> None:
    create(store, "not-yet", 3)
    assert apps.ingress.get("/user/activation").status_code == 404


# Erase


def count(database: Database) -> int:
    return int(database.execute("SELECT count(*) FROM activations").fetchone()[0])


def test_one_is_erased_and_then_as_if_it_had_never_been(apps: Apps, database: Database) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    erased = apps.ingress.delete(where)
    assert (erased.status_code, erased.data) == (204, b"")
    assert apps.ingress.get(where).status_code == 404
    assert apps.ingress.delete(where).status_code == 404
    assert count(database) == 0


def test_all_are_erased_but_only_the_callers(
    apps: Apps, store: SqliteStore, database: Database
) -> None:
    for number in range(30):
        create(store, f"a{number}", number)
    create(store, "theirs", 1, user_id="somebody else")
    assert apps.ingress.delete("/activations").status_code == 204
    assert apps.ingress.get("/activations").get_json()["items"] == []
    assert count(database) == 1
    assert apps.ingress.delete("/activations").status_code == 204


def test_what_waits_in_the_queue_does_not_bring_it_back(apps: Apps, database: Database) -> None:
    apps.ingress.post("/activations", json=GOOD)
    apps.ingress.delete("/activations")
    assert deliver(apps) == 204
    assert apps.worker.post("/tasks/sweep").get_json()["due"] == 0
    assert count(database) == 0


@pytest.mark.parametrize("path", ["one", "all"])
def test_an_erasure_in_the_middle_of_a_gemini_call_leaves_nothing_behind(
    apps: Apps, database: Database, gemini: ScriptedGemini, path: str
) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]

    def erase() -> None:
        apps.ingress.delete(where if path == "one" else "/activations")

    gemini.plan(erase)
    assert deliver(apps) == 204
    assert count(database) == 0
    assert len(gemini.requests) == 1


def test_erasing_and_working_raced_leaves_nothing_behind(
    apps: Apps, database: Database, time: FakeTime
) -> None:
    """Whoever wins: claim, write-back and erasure begin at once, forty times."""
    for _ in range(40):
        created = apps.ingress.post("/activations", json=GOOD)
        message = apps.publisher.published[-1]
        together = threading.Barrier(3)

        def work(together: threading.Barrier = together, message: object = message) -> None:
            together.wait()
            push(apps.worker.application.test_client(), message)  # type: ignore[arg-type]

        def erase(
            together: threading.Barrier = together, where: str = created.headers["Location"]
        ) -> None:
            together.wait()
            answer = apps.ingress.application.test_client().delete(where)
            assert answer.status_code == 204

        threads = [threading.Thread(target=t) for t in (work, work, erase)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert count(database) == 0
