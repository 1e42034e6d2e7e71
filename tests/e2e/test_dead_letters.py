"""`python -m worker.dead_letters` and `local.dead_letters` beside a pipeline that runs."""

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from local.sqlite.database import Database, open_database
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.domain.messages import DeadLetter, Message, encode
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from tests.builders import an_activation
from tests.e2e.pipeline import Pipeline, clean_environment, running
from tests.e2e.queues import PROJECT, TOPIC, emulators_of
from tests.support.eventually import eventually

GARBAGE = Message(b'{"goal": "kanarie"', {"schema": "1"})


def command(pipeline: Pipeline, *argv: str) -> tuple[int, list[str], str]:
    """The exit code, the lines on standard output, and standard error."""
    module, more, environment = "local", ["--data-dir", str(pipeline.folder / ".data")], {}
    if pipeline.emulators:
        environment = {**emulators_of(pipeline).environment, "GOOGLE_CLOUD_PROJECT": PROJECT}
        module, more = "worker", []
    ended = subprocess.run(
        [sys.executable, "-m", f"{module}.dead_letters", *argv, *more],
        cwd=pipeline.folder,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout.splitlines(), ended.stderr


def store_of(pipeline: Pipeline) -> SqliteStore | FirestoreStore:
    if not pipeline.emulators:
        return SqliteStore(open_database(pipeline.folder / ".data"))
    with emulators_of(pipeline).found_by_libraries():
        return FirestoreStore(firestore.connect(PROJECT, "(default)"), "activations")


def hurry(database: Database) -> None:
    """As if every message had been delivered nine times; after the tenth it is given up."""
    database.execute("UPDATE messages SET deliveries = 9, visible_at = 0 WHERE topic = ?", TOPIC)


def test_a_replayed_message_that_can_be_read_now_is_answered(pipeline: Pipeline) -> None:
    store, now = store_of(pipeline), datetime.now(timezone.utc)
    activation = an_activation(f"replayed{now:%f}", user_id="local", now=now)
    # The sweep has no reason to publish it.
    stored = store.create(activation.model_copy(update={"due_at": now + timedelta(hours=1)}))
    message = encode(stored.activation, stored.version)
    store.keep_dead_letter(
        DeadLetter(
            message_id="17",
            data=message.data,
            attributes=message.attributes,
            why="an older release ran",
            received_at=now,
        )
    )
    code, lines, _ = command(pipeline, "list", "--json")
    assert code == 0
    assert [json.loads(line)["activation_id"] for line in lines] == [
        stored.activation.activation_id
    ]
    assert command(pipeline, "replay", "17") == (0, ["replayed: 17"], "")
    done = pipeline.wait_until_done(stored.activation.activation_id)
    assert done["source"] == "gemini"
    assert command(pipeline, "replay", "17") == (1, [], "no dead letter has the id '17'\n")
    assert command(pipeline, "list") == (0, ["no dead letters"], "")


def test_one_that_nobody_can_read_comes_back_until_it_is_discarded(tmp_path: Path) -> None:
    with running(tmp_path / "run") as pipeline:
        database = open_database(pipeline.folder / ".data")
        store = SqliteStore(database)

        def given_up() -> list[DeadLetter]:
            hurry(database)
            return store.dead_letters(limit=2)

        SqliteQueue(database, TOPIC).publish(GARBAGE)
        [first] = eventually(given_up, what="the first dead letter")
        _, [line], _ = command(pipeline, "list")
        assert line.startswith(first.message_id)
        assert "kanarie" not in line
        assert command(pipeline, "replay", "--all")[0] == 0
        [second] = eventually(given_up, what="its return")
        assert (second.data, second.message_id == first.message_id) == (GARBAGE.data, False)
        discarded = (0, [f"discarded: {second.message_id}"], "")
        assert command(pipeline, "discard", second.message_id) == discarded
        assert store.dead_letters(limit=1) == []
        assert "kanarie" not in pipeline.output


@pytest.mark.parametrize(
    ("module", "named"), [("worker", "GOOGLE_CLOUD_PROJECT"), ("local", "--data-dir .data")]
)
def test_without_its_store_it_is_one_line_and_exit_2(
    tmp_path: Path, module: str, named: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"{module}.dead_letters", "list"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert named in ended.stderr
    assert list(tmp_path.iterdir()) == []
