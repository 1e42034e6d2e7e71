"""`deadline_seconds`: a request may ask for its step earlier than the setting promises it."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

import ingress.app
from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.messages import decode
from shared.settings import Settings
from tests.builders import NOON
from tests.doubles import FakePublisher, FakeTime
from tests.http.conftest import GOOD, Apps

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def submit(apps: Apps, **changes: Any) -> TestResponse:
    return apps.ingress.post("/activations", json={**GOOD, **changes}, headers=KEY)


def seconds_until_the_deadline(apps: Apps) -> float:
    activation = decode(apps.message).activation
    return (activation.deadline - activation.created_at).total_seconds()


@pytest.mark.parametrize("asked", [10, 42, 300])
def test_the_deadline_is_the_one_asked_for(apps: Apps, asked: int) -> None:
    assert submit(apps, deadline_seconds=asked).status_code == 202
    assert seconds_until_the_deadline(apps) == asked


@pytest.mark.parametrize("changes", [{}, {"deadline_seconds": None}])
def test_without_one_the_deadline_is_the_settings(apps: Apps, changes: dict[str, Any]) -> None:
    submit(apps, **changes)
    assert seconds_until_the_deadline(apps) == 300


def test_the_representation_shows_the_deadline(apps: Apps) -> None:
    shown = submit(apps, deadline_seconds=20).get_json()["deadline"]
    assert shown == (NOON + timedelta(seconds=20)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("asked", [301, 86_400, 10**400], ids=["next", "a day", "huge"])
def test_a_later_one_than_the_settings_is_refused_and_nothing_is_written(
    apps: Apps, database: Database, asked: int
) -> None:
    answer = submit(apps, deadline_seconds=asked)
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"pointer": "/deadline_seconds", "detail": "The deadline can be at most 300 seconds."}
    ]
    assert database.execute("SELECT count(*) FROM activations").fetchone() == (0,)


def test_the_latest_is_the_one_that_is_set(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", activation_deadline_seconds=60)
    client = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    asked = [{**GOOD, "deadline_seconds": seconds} for seconds in (60, 61)]
    assert [client.post("/activations", json=body).status_code for body in asked] == [202, 422]


def test_a_refused_one_takes_no_part_of_the_daily_limit(
    store: SqliteStore, publisher: FakePublisher, time: FakeTime
) -> None:
    settings = Settings(auth="none", daily_limit_per_user=1)
    client = ingress.app.create_app(settings, store, publisher, time.now).test_client()
    client.post("/activations", json={**GOOD, "deadline_seconds": 301})
    assert client.post("/activations", json=GOOD).status_code == 202


def test_the_same_key_with_another_deadline_is_another_request(apps: Apps) -> None:
    submit(apps, deadline_seconds=20)
    assert submit(apps, deadline_seconds=20).headers["Idempotency-Replayed"] == "true"
    assert submit(apps, deadline_seconds=30).status_code == 422


def test_a_key_that_an_earlier_release_has_stored_is_still_recognised(apps: Apps) -> None:
    """It knew no deadline: without one, a request's fingerprint is what it was then."""
    submit(apps)
    assert decode(apps.message).activation.fingerprint == (
        "81c0e8647db7d634cf9bafbba7e480dd38942191591f9296c216cc72f5f078f4"
    )
