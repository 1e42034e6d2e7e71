"""Idempotency-Key: one key and one request are one activation, however often and however broken."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import ingress.app
from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.messages import decode
from shared.errors import AlreadyExists
from shared.settings import Settings
from tests.builders import NOON, an_answer
from tests.doubles import FakePublisher, FakeTime, StoreWithFaults
from tests.http.conftest import GOOD, Apps, deliver

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
SECOND_WISH = {**GOOD, "goal": "sova bättre"}


def submit(
    client: FlaskClient, *, key: str = KEY, path: str = "/activations", **changes: Any
) -> TestResponse:
    return client.post(path, json={**GOOD, **changes}, headers={"Idempotency-Key": key})


def count(database: Database) -> int:
    return int(database.execute("SELECT count(*) FROM activations").fetchone()[0])


def test_the_same_key_and_request_are_the_same_activation(apps: Apps, database: Database) -> None:
    first, second = submit(apps.ingress), submit(apps.ingress)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.get_json() == second.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(database) == 1
    assert len(apps.publisher.published) == 1


def test_the_waiting_route_takes_the_key_too(apps: Apps, database: Database) -> None:
    first = submit(apps.ingress, path="/gemini/getActivation")
    deliver(apps)
    second = submit(apps.ingress, path="/gemini/getActivation")
    assert (first.status_code, second.status_code) == (504, 200)
    assert second.get_json()["activation_id"] == first.get_json()["activation_id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(database) == 1


def test_a_replay_of_a_completed_one_brings_its_step(apps: Apps) -> None:
    submit(apps.ingress)
    deliver(apps)
    again = submit(apps.ingress)
    assert again.get_json()["done"]
    assert again.get_json()["step"]
    assert len(apps.publisher.published) == 1


@pytest.mark.parametrize(
    "changes",
    [{"mood": 3}, {"goal": "sova"}, {"language": "en"}, {"profile": {"focusArea": "sömn"}}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_same_key_with_another_request_is_a_422(
    apps: Apps, database: Database, changes: dict[str, Any]
) -> None:
    submit(apps.ingress)
    other = submit(apps.ingress, **changes)
    assert other.status_code == 422
    assert other.content_type == "application/problem+json"
    assert count(database) == 1
    assert len(apps.publisher.published) == 1


def test_also_when_the_first_is_completed_and_its_profile_is_gone(apps: Apps) -> None:
    submit(apps.ingress, profile={"focusArea": "sömn"})
    deliver(apps)
    assert submit(apps.ingress, profile={"focusArea": "sömn"}).status_code == 202
    assert submit(apps.ingress, profile={"focusArea": "annat"}).status_code == 422


def test_how_the_json_was_written_does_not_matter(apps: Apps) -> None:
    submit(apps.ingress)
    again = apps.ingress.post(
        "/activations",
        data='{ "goal" : "komma ig\\u00e5ng",  "mood":2 }',
        content_type="application/json",
        headers={"Idempotency-Key": f'"{KEY}"'},  # quoted, as the IETF's draft has it
    )
    assert again.headers["Idempotency-Replayed"] == "true"


def test_another_key_is_another_activation(apps: Apps, database: Database) -> None:
    submit(apps.ingress)
    submit(apps.ingress, key="another")
    assert count(database) == 2


@pytest.mark.parametrize("key", ["", '""', " ", "a b", "å", "a" * 256, "a\x7f", "\x01"])
def test_what_can_be_no_key_is_a_400_and_nothing_is_written(
    apps: Apps, database: Database, key: str
) -> None:
    answer = submit(apps.ingress, key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.get_json()["detail"]
    assert count(database) == 0


def test_the_key_of_a_refused_request_is_not_used_up(apps: Apps) -> None:
    assert submit(apps.ingress, mood=9).status_code == 422
    assert submit(apps.ingress).status_code == 202


def test_the_id_does_not_show_the_key_and_is_as_long_as_any(apps: Apps) -> None:
    keyed = submit(apps.ingress).get_json()["activation_id"]
    random = apps.ingress.post("/activations", json=GOOD).get_json()["activation_id"]
    assert KEY not in keyed
    assert len(keyed) == len(random) == 32


def test_what_is_stored_of_the_request_is_no_plain_hash_of_it(
    apps: Apps, store: SqliteStore
) -> None:
    """A wish is short: from a plain hash it could be guessed after the profile was dropped."""
    one = submit(apps.ingress).get_json()["activation_id"]
    other = submit(apps.ingress, key="another").get_json()["activation_id"]
    prints = [stored.activation.fingerprint for i in (one, other) if (stored := store.get(i))]
    assert len(set(prints)) == 2
    assert "fingerprint" not in submit(apps.ingress).get_json()


def test_twenty_at_once_are_one_activation_and_one_message(apps: Apps, database: Database) -> None:
    app = apps.ingress.application
    together = threading.Barrier(20)

    def at_once(_: int) -> TestResponse:
        together.wait()
        return submit(app.test_client())

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(at_once, range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["activation_id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert count(database) == 1
    assert len(apps.publisher.published) == 1


def test_a_replay_of_one_whose_publish_failed_publishes_it(apps: Apps) -> None:
    apps.publisher.broken = True
    submit(apps.ingress)
    apps.publisher.broken = False
    again = submit(apps.ingress)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(apps.publisher.published) == 1
    assert deliver(apps) == 204
    assert submit(apps.ingress).get_json()["source"] == "gemini"
    assert len(apps.publisher.published) == 1


def test_what_a_replay_has_published_the_sweep_does_not_publish_again(
    apps: Apps, time: FakeTime
) -> None:
    apps.publisher.broken = True
    submit(apps.ingress)
    apps.publisher.broken = False
    submit(apps.ingress)
    time.advance(10)
    assert apps.worker.post("/tasks/sweep").get_json()["due"] == 0


def test_a_replay_while_the_queue_is_still_away_is_accepted_all_the_same(apps: Apps) -> None:
    apps.publisher.broken = True
    assert [submit(apps.ingress).status_code for _ in range(3)] == [202] * 3


def test_a_crash_between_write_and_publish_is_mended_by_a_later_replay(
    apps: Apps, store: SqliteStore, time: FakeTime
) -> None:
    class Crash(BaseException):
        pass

    def crash(_: object) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(apps.publisher, "publish", crash)
        with pytest.raises(Crash):
            submit(apps.ingress)
    time.advance(60)
    submit(apps.ingress)
    assert len(apps.publisher.published) == 1


def test_an_own_create_whose_answer_was_lost_is_no_replay_and_is_published(
    store: SqliteStore, publisher: FakePublisher
) -> None:
    faulty = StoreWithFaults(store)
    faulty.applied_but_raises.append(AlreadyExists("the retry met our own write"))
    app = ingress.app.create_app(Settings(auth="none"), faulty, publisher).test_client()
    answer = submit(app)
    assert answer.status_code == 202
    assert "Idempotency-Replayed" not in answer.headers
    assert len(publisher.published) == 1


def test_a_replay_is_answered_over_the_daily_limit_and_a_new_wish_is_not(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", daily_limit_per_user=1, sync_wait_seconds=0)
    app = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    assert submit(app).status_code == 202
    assert submit(app).headers["Idempotency-Replayed"] == "true"
    assert submit(app, key="another").status_code == 429
    assert submit(app, goal="annat").status_code == 422


def test_after_an_erasure_the_key_makes_a_new_one(apps: Apps, store: SqliteStore) -> None:
    first = submit(apps.ingress)
    apps.ingress.delete(first.headers["Location"])
    again = submit(apps.ingress)
    assert "Idempotency-Replayed" not in again.headers
    assert again.get_json()["status"] == "queued"
    old, new = (decode(message) for message in apps.publisher.published)
    assert old.version != new.version


def test_a_cancelled_one_is_replayed_as_cancelled(apps: Apps, store: SqliteStore) -> None:
    first = submit(apps.ingress)
    apps.ingress.post(first.get_json()["links"]["cancel"])
    assert submit(apps.ingress).get_json()["status"] == "cancelled"


def test_a_replay_leaves_a_result_alone(apps: Apps, store: SqliteStore, time: FakeTime) -> None:
    activation_id = submit(apps.ingress).get_json()["activation_id"]
    stored = store.get(activation_id)
    assert stored is not None
    store.replace(stored.activation.completed(an_answer(), now=NOON), stored.version)
    time.advance(3600)
    assert submit(apps.ingress).get_json()["status"] == "completed"
    assert len(apps.publisher.published) == 1


def test_a_key_whose_activation_has_expired_makes_a_new_one(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    """Firestore deletes what is expired within a day; until then the id is taken."""
    settings = Settings(auth="none", sync_wait_seconds=0)
    app = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    submit(app)
    time.advance(31 * 24 * 3600)
    again = submit(app)
    assert again.status_code == 202
    assert "Idempotency-Replayed" not in again.headers
    assert len(publisher.published) == 2
