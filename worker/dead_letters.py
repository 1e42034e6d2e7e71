"""`python -m worker.dead_letters list|show|replay|discard`: the messages that nobody could read.

Works on Firestore and Pub/Sub; `python -m local.dead_letters` is the same on the database of a
local run. A message may hold a goal, so only `show --content` prints one.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

from shared.domain.messages import DeadLetter, Message
from shared.errors import PublishFailed, StoreUnavailable
from shared.google.adapters import google_adapters
from shared.ports import DeadLetterStore, Publisher
from shared.settings import read_settings
from shared.start import run
from shared.start_checks import check_project
from shared.telemetry.logs import configure_logging

READ_AT_ONCE = 20
"""A letter has half a MiB at most (KEPT_BYTES), so one call returns 10 MiB at most."""

DONE = {"replay": "replayed", "discard": "discarded"}

Row = dict[str, Any]
"""What is printed for one letter: a JSON object with `--json`, else text."""


def parser(program: str, *options: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Of the command line; every action takes the `options` as well. A bad one is exit code 2."""
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print one JSON object a line")
    whole = argparse.ArgumentParser(
        prog=program, description="Look after the messages that no worker could read."
    )
    actions = whole.add_subparsers(dest="action", required=True, metavar="list|show|replay|discard")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=what, description=what, parents=[as_json, *options])

    add("list", "Print id, time, size, activation and reason of each, the oldest first.")
    show = add("show", "Print what is known about one.")
    show.add_argument("id", metavar="ID")
    show.add_argument(
        "--content", action="store_true", help="print the message too; it may hold a user's goal"
    )
    replay = add(
        "replay",
        "Publish it to the request topic again, then remove it. If no worker can read it now "
        "either, it comes back under another id after ten deliveries, in about four minutes.",
    )
    discard = add("discard", "Remove it for good.")
    for action in (replay, discard):
        which = action.add_mutually_exclusive_group(required=True)
        which.add_argument("id", metavar="ID", nargs="?")
        which.add_argument("--all", action="store_true", help="all that `list` prints")
    return whole


def perform(wanted: argparse.Namespace, store: DeadLetterStore, publisher: Publisher) -> int:
    """Do what the command line asks for. The exit code: 1 after one line on standard error that
    says what failed; what was printed before that is done."""
    some = False
    try:
        for row in _rows(wanted, store, publisher):
            some = True
            _say(_as_json(row) if wanted.json else _as_text(row, wanted.action))
    except LookupError as error:
        return _failed(f"no dead letter has the id {error.args[0]!r}")
    except StoreUnavailable as error:
        return _failed(f"the store is not available: {error}")
    except PublishFailed as error:
        return _failed(f"the queue did not take the message, so it is still kept: {error}")
    except BrokenPipeError:
        return 1  # whoever reads has seen enough, as `head` has
    if not some and not wanted.json:
        _say("no dead letters")
    return 0


def _rows(
    wanted: argparse.Namespace, store: DeadLetterStore, publisher: Publisher
) -> Iterator[Row]:
    """Raises LookupError for an unknown id, StoreUnavailable and PublishFailed."""
    if wanted.action == "list":
        yield from sorted(map(_summary, _each(store)), key=lambda row: str(row["received_at"]))
    elif wanted.action == "show":
        yield _details(_known(store, wanted.id), content=wanted.content)
    else:
        for letter in _all(store) if wanted.all else [_known(store, wanted.id)]:
            if wanted.action == "replay":
                publisher.publish(Message(letter.data, letter.attributes))
            # Last: if this fails, a second replay does no harm, and nothing was lost.
            store.discard_dead_letter(letter.message_id)
            yield {DONE[wanted.action]: letter.message_id}


def _known(store: DeadLetterStore, message_id: str) -> DeadLetter:
    letter = store.dead_letter(message_id)
    if letter is None:
        raise LookupError(message_id)
    return letter


def _each(store: DeadLetterStore) -> Iterator[DeadLetter]:
    after = None
    while letters := store.dead_letters(limit=READ_AT_ONCE, after=after):
        yield from letters
        after = letters[-1].message_id


def _all(store: DeadLetterStore) -> Iterator[DeadLetter]:
    """Those that are kept now, without what comes back meanwhile."""
    for message_id in [letter.message_id for letter in _each(store)]:
        if letter := store.dead_letter(message_id):  # else its owner has just erased it
            yield letter


def _summary(letter: DeadLetter) -> Row:
    return {
        "message_id": letter.message_id,
        "received_at": letter.received_at.isoformat(timespec="seconds"),
        "bytes": len(letter.data),
        "activation_id": letter.owner.activation_id,
        "why": letter.why,
    }


def _details(letter: DeadLetter, *, content: bool) -> Row:
    shown = {**_summary(letter), "attributes": letter.attributes}
    return {**shown, "data": letter.data} if content else shown


def _as_json(row: Row) -> str:
    return json.dumps(row, default=lambda data: base64.b64encode(data).decode())


def _as_text(row: Row, action: str) -> str:
    values = {name: _printable(value) for name, value in row.items()}
    if action == "list":
        return "  ".join(values.values())
    return "\n".join(f"{name}: {value}" for name, value in values.items())


def _printable(value: Any) -> str:
    """Whatever a stranger has sent, nothing of it controls the terminal."""
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    text = "-" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # as things happen, also into a pipe


def _failed(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 1


def main() -> int:
    wanted = parser("python -m worker.dead_letters").parse_args()
    settings = read_settings()
    check_project(settings)
    configure_logging("WARNING", json=False)
    return perform(wanted, *google_adapters(settings))


if __name__ == "__main__":
    run(main)
