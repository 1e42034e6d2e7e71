"""Cheap polls: ETag and 304, Prefer, Retry-After that grows with age."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import ingress.app
from ingress.submit.wait_slots import WaitSlots, is_done
from local.sqlite.store import SqliteStore
from shared.ports import Stored
from shared.settings import Settings
from tests.builders import NOON, an_activation, an_answer
from tests.doubles import FakePublisher, FakeTime
from tests.http.conftest import GOOD, Apps, deliver
from tests.support.eventually import eventually

LONG = "wait=30"


@pytest.fixture
def patient(store: SqliteStore, publisher: FakePublisher, time: FakeTime) -> Flask:
    """An ingress whose requests may wait."""
    return ingress.app.create_app(Settings(auth="none"), store, publisher, time.now)


def get(app: Flask, path: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, headers=named)


def post(app: Flask, path: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post(path, json=GOOD, headers=named)


def complete(store: SqliteStore, activation_id: str) -> None:
    stored = store.get(activation_id)
    assert stored is not None
    store.replace(stored.activation.completed(an_answer(), now=NOON), stored.version)


def claim(store: SqliteStore, activation_id: str) -> None:
    stored = store.get(activation_id)
    assert stored is not None
    wanted = stored.activation.claimed(claim_id="c", now=NOON, lease=NOON - NOON)
    store.replace(wanted, stored.version)


class Waiting:
    """A request in a thread of its own, which is known to wait."""

    def __init__(self, ask: Callable[[], TestResponse], store: SqliteStore) -> None:
        self.answers: list[TestResponse] = []
        looks = []
        get_one = store.get

        def counted(activation_id: str) -> Any:
            looks.append(activation_id)
            return get_one(activation_id)

        store.get = counted  # type: ignore[method-assign]
        self._thread = threading.Thread(target=lambda: self.answers.append(ask()))
        self._thread.start()
        # The first look is the route's own; with the second it waits.
        eventually(lambda: len(looks) >= 2, what="the second look")

    def answer(self) -> TestResponse:
        self._thread.join(30)
        (answer,) = self.answers
        return answer


# ETag


def test_an_unchanged_activation_is_a_304_without_a_body(apps: Apps) -> None:
    created = apps.ingress.post("/activations", json=GOOD)
    shown = apps.ingress.get(created.headers["Location"])
    assert shown.headers["ETag"] == created.headers["ETag"]
    tag = {"If-None-Match": shown.headers["ETag"]}
    again = apps.ingress.get(created.headers["Location"], headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == shown.headers["ETag"]
    assert again.headers["Cache-Control"] == "no-store"
    assert "Retry-After" in again.headers


def test_the_tag_is_strong_and_changes_with_every_state(apps: Apps, store: SqliteStore) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    tags = [apps.ingress.get(where).headers["ETag"]]
    claim(store, where.rpartition("/")[2])
    tags.append(apps.ingress.get(where).headers["ETag"])
    complete(store, where.rpartition("/")[2])
    tags.append(apps.ingress.get(where).headers["ETag"])
    assert len(set(tags)) == 3
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


@pytest.mark.parametrize("form", ["W/{}", '"other", {}', "*"])
def test_a_tag_is_found_in_every_form_that_http_has(apps: Apps, form: str) -> None:
    created = apps.ingress.post("/activations", json=GOOD)
    tag = form.format(created.headers["ETag"])
    where = created.headers["Location"]
    assert apps.ingress.get(where, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("tag", ['"other"', "", "nonsense", '"'])
def test_another_tag_is_answered_in_full(apps: Apps, tag: str) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    assert apps.ingress.get(where, headers={"If-None-Match": tag}).status_code == 200


def test_someone_elses_tag_is_no_way_to_learn_that_it_exists(
    apps: Apps, store: SqliteStore
) -> None:
    store.create(an_activation(user_id="somebody else"))
    answer = apps.ingress.get("/activations/a1", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


# Prefer: wait, on GET


def test_without_a_tag_it_waits_until_it_is_done(patient: Flask, store: SqliteStore) -> None:
    where = post(patient, "/activations").headers["Location"]
    waiting = Waiting(lambda: get(patient, where, Prefer=LONG), store)
    claim(store, where.rpartition("/")[2])
    complete(store, where.rpartition("/")[2])
    answer = waiting.answer()
    assert answer.get_json()["done"]
    assert answer.headers["Preference-Applied"] == LONG


def test_with_a_tag_it_waits_until_it_differs(patient: Flask, store: SqliteStore) -> None:
    created = post(patient, "/activations")
    where, tag = created.headers["Location"], created.headers["ETag"]
    waiting = Waiting(lambda: get(patient, where, Prefer=LONG, If_None_Match=tag), store)
    claim(store, where.rpartition("/")[2])
    answer = waiting.answer()
    assert (answer.status_code, answer.get_json()["status"]) == (200, "processing")


def test_a_wait_in_vain_is_a_304(patient: Flask, store: SqliteStore) -> None:
    created = post(patient, "/activations")
    headers = {"Prefer": "wait=1", "If_None_Match": created.headers["ETag"]}
    answer = get(patient, created.headers["Location"], **headers)
    assert answer.status_code == 304
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_what_is_done_is_not_waited_for(patient: Flask, store: SqliteStore) -> None:
    where = post(patient, "/activations").headers["Location"]
    complete(store, where.rpartition("/")[2])
    tag = get(patient, where, Prefer=LONG).headers["ETag"]
    assert get(patient, where, Prefer=LONG, If_None_Match=tag).status_code == 304


def test_an_old_tag_is_answered_at_once(patient: Flask, store: SqliteStore) -> None:
    where = post(patient, "/activations").headers["Location"]
    answer = get(patient, where, Prefer=LONG, If_None_Match='"an older one"')
    assert answer.get_json()["status"] == "queued"


def test_what_is_erased_during_the_wait_is_a_404(patient: Flask, store: SqliteStore) -> None:
    where = post(patient, "/activations").headers["Location"]
    waiting = Waiting(lambda: get(patient, where, Prefer=LONG), store)
    store.delete(where.rpartition("/")[2])
    assert waiting.answer().status_code == 404


def test_without_a_free_slot_a_poll_answers_at_once_and_says_so(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    app = ingress.app.create_app(Settings(auth="none", web_threads=2), store, publisher)
    where = post(app, "/activations").headers["Location"]
    waiting = Waiting(lambda: get(app, where, Prefer=LONG), store)
    second = get(app, where, Prefer=LONG)
    assert second.get_json()["status"] == "queued"
    assert "Preference-Applied" not in second.headers
    complete(store, where.rpartition("/")[2])
    assert waiting.answer().get_json()["done"]


def test_one_user_can_not_take_all_the_slots(store: SqliteStore) -> None:
    patience = WaitSlots(store, slots=4, share=1)
    annas = store.create(an_activation("a1", user_id="anna"))
    bos = store.create(an_activation("b1", user_id="bo"))
    looks: list[Stored] = []

    def never(stored: Stored) -> bool:
        looks.append(stored)
        return False

    first = threading.Thread(target=patience.wait, args=(annas, 30, never))
    first.start()
    eventually(lambda: len(looks) >= 2, what="a slot for Anna")  # the first look is before it
    assert not patience.wait(annas, 0.01, is_done).granted
    assert patience.wait(bos, 0.01, is_done).granted
    patience.end()
    first.join(30)
    assert not first.is_alive()
    assert patience.wait(annas, 0.01, is_done).granted  # her slot is free again


@pytest.mark.parametrize(
    "prefer",
    ["wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "handling=lenient", ",,;", "wait=٣"],
)
def test_a_preference_that_means_nothing_is_no_error(apps: Apps, prefer: str) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    answer = apps.ingress.get(where, headers={"Prefer": prefer})
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


# Prefer, on POST


def test_a_submit_may_wait_for_its_result(patient: Flask, apps: Apps, store: SqliteStore) -> None:
    answers: list[TestResponse] = []
    thread = threading.Thread(
        target=lambda: answers.append(post(patient, "/activations", Prefer="wait=20"))
    )
    thread.start()
    eventually(lambda: apps.publisher.published, what="the publish")
    deliver(apps)
    thread.join(30)
    (answer,) = answers
    assert (answer.status_code, answer.get_json()["status"]) == (200, "completed")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert "Retry-After" not in answer.headers


def test_a_submit_that_waited_in_vain_is_a_202(patient: Flask) -> None:
    answer = post(patient, "/activations", Prefer="wait=1")
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert int(answer.headers["Retry-After"]) >= 1


def test_the_waiting_route_can_be_asked_not_to_wait(patient: Flask) -> None:
    answer = post(patient, "/gemini/getActivation", Prefer="respond-async")
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Location"] == f"/activations/{answer.get_json()['activation_id']}"
    assert answer.get_json()["status"] == "queued"


def test_both_preferences_mean_wait_a_little_and_then_answer_all_the_same(patient: Flask) -> None:
    """RFC 7240, section 4.3."""
    answer = post(patient, "/gemini/getActivation", Prefer="Respond-Async, wait=1")
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async, wait=1"


def test_the_waiting_route_waits_no_longer_than_preferred(patient: Flask) -> None:
    assert post(patient, "/gemini/getActivation", Prefer="wait=0").status_code == 504


def test_a_wait_is_bounded_whatever_is_preferred(patient: Flask, store: SqliteStore) -> None:
    where = post(patient, "/activations").headers["Location"]
    complete(store, where.rpartition("/")[2])
    answer = get(patient, where, Prefer="wait=999999999999")
    assert answer.headers["Preference-Applied"] == "wait=30"


# Retry-After


def test_retry_after_grows_with_age_and_ends_with_the_work(
    apps: Apps, store: SqliteStore, time: FakeTime
) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    said = []
    for _ in range(12):
        said.append(int(apps.ingress.get(where).headers["Retry-After"]))
        time.advance(10)
    assert said == sorted(said)
    assert (said[0], said[-1]) == (1, 10)
    complete(store, where.rpartition("/")[2])
    assert "Retry-After" not in apps.ingress.get(where).headers


def test_a_clock_that_is_behind_asks_for_a_second(apps: Apps, time: FakeTime) -> None:
    where = apps.ingress.post("/activations", json=GOOD).headers["Location"]
    time.advance(-300)
    assert apps.ingress.get(where).headers["Retry-After"] == "1"
