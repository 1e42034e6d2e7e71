"""What is recorded of an answer: once it is written, and only then."""

import pytest
from structlog.testing import capture_logs

from local.sqlite.store import SqliteStore
from shared.errors import Conflict
from tests.builders import NOON, an_activation, an_answer
from worker.pipeline.records import write_answer


def test_an_answer_that_was_written_is_logged_with_its_source(store: SqliteStore) -> None:
    stored = store.create(an_activation())
    with capture_logs() as logs:
        write_answer(store.replace, stored, an_answer(), now=NOON, by="sweep")
    assert [(line["event"], line["source"], line["by"]) for line in logs] == [
        ("activation.completed", "gemini", "sweep")
    ]


def test_an_answer_that_met_a_conflict_is_not_logged(store: SqliteStore) -> None:
    stored = store.create(an_activation())
    store.delete("a1")
    with capture_logs() as logs, pytest.raises(Conflict):
        write_answer(store.replace, stored, an_answer(), now=NOON, by="sweep")
    assert logs == []
