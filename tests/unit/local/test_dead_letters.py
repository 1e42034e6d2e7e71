"""The operators' command for dead letters, on SQLite and a publisher that a test owns."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.messages import DeadLetter, Message
from tests.builders import NOON
from tests.doubles import FakePublisher
from worker import dead_letters
from worker.dead_letters import parser, perform

LETTER = DeadLetter(
    message_id="17",
    data=b'{"activation": {"activation_id": "a1", "goal": "kanarie"}}',
    attributes={"schema": "7"},
    why="schema '7', expected '1'",
    received_at=NOON,
)


class Terminal:
    def __init__(self, store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
        self.store = store
        self.publisher = FakePublisher()
        self._capsys = capsys

    def keep(self, *letters: DeadLetter) -> None:
        for letter in letters:
            self.store.keep_dead_letter(letter)

    def run(self, *argv: str) -> tuple[int, str, str]:
        """The exit code and what stands on standard output and standard error."""
        code = perform(parser("dead_letters").parse_args(argv), self.store, self.publisher)
        return code, *self._capsys.readouterr()

    def ids(self) -> list[str]:
        return [letter.message_id for letter in self.store.dead_letters(limit=100)]


@pytest.fixture
def terminal(store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(store, capsys)


# Looking


def test_the_list_tells_what_and_why_but_never_the_content(terminal: Terminal) -> None:
    terminal.keep(LETTER)
    line = "17  2026-11-23T12:00:00+00:00  58  a1  schema '7', expected '1'\n"
    assert terminal.run("list") == (0, line, "")


def test_the_list_in_json_has_an_object_a_line(terminal: Terminal) -> None:
    terminal.keep(LETTER, replace(LETTER, message_id="18", data=b"\xff", attributes={}))
    _, said, _ = terminal.run("list", "--json")
    assert [json.loads(line) for line in said.splitlines()] == [
        {
            "message_id": message_id,
            "received_at": "2026-11-23T12:00:00+00:00",
            "bytes": size,
            "activation_id": activation_id,
            "why": LETTER.why,
        }
        for message_id, size, activation_id in (("17", 58, "a1"), ("18", 1, None))
    ]


def test_the_list_has_all_however_many_are_read_at_once(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "READ_AT_ONCE", 2)
    ages = {"1": 5, "2": 4, "3": 3, "4": 2, "5": 1}
    for message_id, age in ages.items():
        received_at = NOON + timedelta(seconds=age)
        terminal.keep(replace(LETTER, message_id=message_id, received_at=received_at))
    _, said, _ = terminal.run("list")
    assert [line.split()[0] for line in said.splitlines()] == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    "argv", [("list",), ("replay", "--all"), ("discard", "--all")], ids=lambda argv: argv[0]
)
def test_where_there_are_none_it_says_so(terminal: Terminal, argv: tuple[str, ...]) -> None:
    assert terminal.run(*argv) == (0, "no dead letters\n", "")
    assert terminal.run(*argv, "--json") == (0, "", "")


def test_one_is_shown_with_its_attributes_and_without_its_content(terminal: Terminal) -> None:
    terminal.keep(LETTER)
    code, said, _ = terminal.run("show", "17")
    assert code == 0
    assert 'attributes: {"schema": "7"}' in said.splitlines()
    assert "kanarie" not in said


def test_its_content_is_shown_where_that_is_asked_for(terminal: Terminal) -> None:
    terminal.keep(LETTER)
    _, said, _ = terminal.run("show", "17", "--content")
    assert f"data: {LETTER.data.decode()}" in said.splitlines()


def test_its_content_in_json_is_base64(terminal: Terminal) -> None:
    terminal.keep(replace(LETTER, data=b"\x00\xff"))
    _, said, _ = terminal.run("show", "17", "--content", "--json")
    assert base64.b64decode(json.loads(said)["data"]) == b"\x00\xff"


def test_what_a_stranger_sent_does_not_control_the_terminal(terminal: Terminal) -> None:
    terminal.keep(replace(LETTER, data="\x1b[2J\u202eå".encode() + b"\xff\n", why="/\x1b]0;x"))
    _, said, _ = terminal.run("show", "17", "--content")
    assert r"data: \x1b[2J\u202eå\xff\n" in said.splitlines()
    assert r"why: /\x1b]0;x" in said.splitlines()


# Replaying and discarding


def test_a_replayed_one_is_published_as_it_came_and_removed(terminal: Terminal) -> None:
    terminal.keep(LETTER, replace(LETTER, message_id="18"))
    assert terminal.run("replay", "17") == (0, "replayed: 17\n", "")
    assert terminal.publisher.published == [Message(LETTER.data, LETTER.attributes)]
    assert terminal.ids() == ["18"]


def test_one_that_the_queue_does_not_take_is_kept(terminal: Terminal) -> None:
    terminal.keep(LETTER)
    terminal.publisher.broken = True
    code, said, why = terminal.run("replay", "17")
    assert (code, said, why.count("\n")) == (1, "", 1)
    assert terminal.ids() == ["17"]


def test_all_that_are_there_are_replayed_and_what_comes_back_meanwhile_stays(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "READ_AT_ONCE", 1)
    terminal.keep(*(replace(LETTER, message_id=message_id) for message_id in ("1", "2")))
    publish = terminal.publisher.publish

    def comes_back(message: Message) -> None:
        publish(message)
        terminal.keep(replace(LETTER, message_id=f"9{len(terminal.publisher.published)}"))

    monkeypatch.setattr(terminal.publisher, "publish", comes_back)
    code, said, _ = terminal.run("replay", "--all", "--json")
    assert (code, said) == (0, '{"replayed": "1"}\n{"replayed": "2"}\n')
    assert terminal.ids() == ["91", "92"]


def test_one_that_is_erased_meanwhile_is_passed_over(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.keep(*(replace(LETTER, message_id=message_id) for message_id in ("1", "2")))
    publish = terminal.publisher.publish

    def erases_the_next(message: Message) -> None:
        publish(message)
        terminal.store.discard_dead_letter("2")

    monkeypatch.setattr(terminal.publisher, "publish", erases_the_next)
    assert terminal.run("replay", "--all") == (0, "replayed: 1\n", "")


def test_all_that_are_there_are_discarded_and_none_is_published(terminal: Terminal) -> None:
    terminal.keep(*(replace(LETTER, message_id=message_id) for message_id in ("1", "2")))
    assert terminal.run("discard", "--all") == (0, "discarded: 1\ndiscarded: 2\n", "")
    assert (terminal.ids(), terminal.publisher.published) == ([], [])


# What goes wrong


@pytest.mark.parametrize("action", ["show", "replay", "discard"])
def test_an_unknown_id_is_one_line_and_exit_1(terminal: Terminal, action: str) -> None:
    terminal.keep(LETTER)
    assert terminal.run(action, "1") == (1, "", "no dead letter has the id '1'\n")
    assert terminal.ids() == ["17"]


@pytest.mark.parametrize(
    "argv", [("list",), ("show", "1"), ("replay", "1"), ("discard", "--all")], ids=" ".join
)
def test_a_store_that_is_away_is_one_line_and_exit_1(
    terminal: Terminal, database: Database, argv: tuple[str, ...]
) -> None:
    database.execute("DROP TABLE dead_letters")
    code, said, why = terminal.run(*argv)
    assert (code, said, why.count("\n")) == (1, "", 1)
    assert why.startswith("the store is not available")


@pytest.mark.parametrize(
    "argv",
    [
        *((), ("burn",), ("list", "17"), ("show",), ("show", "--all"), ("list", "--content")),
        *(("replay",), ("replay", "17", "--all"), ("discard",), ("discard", "17", "18")),
    ],
    ids=" ".join,
)
def test_a_bad_command_line_is_exit_2(terminal: Terminal, argv: tuple[str, ...]) -> None:
    terminal.keep(LETTER)
    with pytest.raises(SystemExit) as ended:
        terminal.run(*argv)
    assert ended.value.code == 2
    assert terminal.ids() == ["17"]
