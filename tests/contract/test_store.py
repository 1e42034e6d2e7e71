"""One contract, two stores: SQLite and Firestore on Google's emulator."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.sqlite.database import open_database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation, Usage
from shared.domain.messages import DeadLetter
from shared.domain.summary import Summary
from shared.errors import AlreadyExists, Conflict, InvalidCursor, StoreUnavailable
from shared.google import firestore
from shared.google.firestore import FirestoreStore
from shared.ports import ActivationStore
from tests.builders import LEASE, an_activation, an_answer
from tests.support.emulators import PROJECT
from tests.support.eventually import eventually
from tests.support.stored_documents import UNREADABLE, Change, change_document, later_release

pytestmark = pytest.mark.filterwarnings("error")


@dataclass(frozen=True)
class Backend:
    """A store, a user nobody else uses, and the dead letters as a person would look at them."""

    store: ActivationStore
    dead_letter: Callable[[str], bytes | None]
    change: Callable[[str, Change], None]
    """Change a stored document underneath the store."""

    def spoil(self, activation_id: str) -> None:
        self.change(activation_id, UNREADABLE["status is a number"])

    def an_activation(self, name: str = "a", **changes: object) -> Activation:
        now = datetime.now(timezone.utc)
        return an_activation(f"{name}{uuid.uuid4().hex}", **{"now": now, **changes})

    def keep_letter(self, data: bytes) -> str:
        letter = DeadLetter(
            message_id=uuid.uuid4().hex,
            data=data,
            attributes={},
            why="because",
            received_at=datetime.now(timezone.utc),
        )
        self.store.keep_dead_letter(letter)
        return letter.message_id

    def keep_letter_of(self, activation_id: str, user_id: str) -> str:
        named = {"activation_id": activation_id, "user_id": user_id, "status": "of a next release"}
        return self.keep_letter(json.dumps({"activation": named}).encode())


@pytest.fixture(params=["sqlite", "firestore"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "sqlite":
        yield sqlite_backend(tmp_path)
        return
    emulators = request.getfixturevalue("emulators")
    with emulators.found_by_libraries():
        client = firestore.connect(PROJECT, "(default)")
    store = FirestoreStore(client, f"activations-{uuid.uuid4().hex}")

    def dead_letter(message_id: str) -> bytes | None:
        found = client.collection("dead_letters").document(message_id).get().to_dict()
        return found["data"] if found else None

    def change(activation_id: str, change: Change) -> None:
        reference = store._collection.document(activation_id)
        document = reference.get().to_dict()
        change(document)
        reference.set(document)

    yield Backend(store, dead_letter, change)
    client.close()


def sqlite_backend(folder: Path) -> Backend:
    database = open_database(folder)

    def dead_letter(message_id: str) -> bytes | None:
        query = "SELECT data FROM dead_letters WHERE message_id = ?"
        row = database.execute(query, message_id).fetchone()
        return row[0] if row else None

    return Backend(SqliteStore(database), dead_letter, partial(change_document, database))


def test_what_was_created_is_read_back_unchanged(backend: Backend) -> None:
    wanted = backend.an_activation()
    created = backend.store.create(wanted)
    found = backend.store.get(wanted.activation_id)
    assert found is not None
    assert found.activation == created.activation == wanted
    assert found.version == created.version
    assert found.written_at == created.written_at


def test_a_missing_one_is_none(backend: Backend) -> None:
    assert backend.store.get("nobody") is None


def test_an_id_is_created_once(backend: Backend) -> None:
    wanted = backend.an_activation()
    backend.store.create(wanted)
    with pytest.raises(AlreadyExists):
        backend.store.create(wanted)


def test_an_expired_one_is_hidden_although_it_is_not_deleted_yet(backend: Backend) -> None:
    wanted = backend.an_activation(now=datetime.now(timezone.utc) - timedelta(days=31))
    backend.store.create(wanted)
    assert backend.store.get(wanted.activation_id) is None
    assert backend.store.page(wanted.user_id, limit=5).items == ()


def test_replace_changes_the_version_and_drops_what_became_none(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    claimed = created.activation.claimed(claim_id="c", now=created.written_at, lease=LEASE)
    written = backend.store.replace(claimed, created.version)
    done = claimed.completed(an_answer(), now=created.written_at)
    backend.store.replace(done, written.version)
    found = backend.store.get(done.activation_id)
    assert found is not None
    assert found.activation == done
    assert found.activation.due_at is None
    assert len({created.version, written.version, found.version}) == 3


def test_the_history_of_claims_and_sweeps_is_read_back_unchanged(backend: Backend) -> None:
    made = backend.store.create(backend.an_activation())
    now = made.activation.created_at
    held = made.activation.claimed(claim_id="c1", now=now, lease=LEASE)
    swept = held.requeued(now=now + LEASE, due_at=now + LEASE, by_sweep=True)
    wanted = swept.claimed(claim_id="c2", now=now + LEASE, lease=LEASE)
    backend.store.replace(wanted, made.version)
    found = backend.store.get(wanted.activation_id)
    assert found is not None
    assert found.activation == wanted
    assert len(found.activation.attempts) == len(found.activation.republished) == 1


def test_replace_on_an_old_version_is_a_conflict_and_changes_nothing(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    cancelled = created.activation.cancelled(now=created.written_at)
    backend.store.replace(cancelled, created.version)
    late = created.activation.completed(an_answer(), now=created.written_at)
    with pytest.raises(Conflict):
        backend.store.replace(late, created.version)
    found = backend.store.get(cancelled.activation_id)
    assert found is not None
    assert found.activation.status == "cancelled"


@pytest.mark.parametrize(
    "version",
    [
        *("", "abc", "-1", "١", "1e5", "9" * 30, "0" * 400),
        *("2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_what_is_no_version_of_ours_is_a_conflict(backend: Backend, version: str) -> None:
    created = backend.store.create(backend.an_activation())
    with pytest.raises(Conflict):
        backend.store.replace(created.activation.cancelled(now=created.written_at), version)


def test_replace_of_an_erased_one_is_a_conflict_and_does_not_bring_it_back(
    backend: Backend,
) -> None:
    created = backend.store.create(backend.an_activation())
    backend.store.delete(created.activation.activation_id)
    late = created.activation.completed(an_answer(), now=created.written_at)
    with pytest.raises(Conflict):
        backend.store.replace(late, created.version)
    assert backend.store.get(created.activation.activation_id) is None


def test_a_version_from_before_an_erasure_does_not_fit_a_new_one_of_the_same_id(
    backend: Backend,
) -> None:
    created = backend.store.create(backend.an_activation())
    backend.store.delete(created.activation.activation_id)
    again = backend.store.create(created.activation)
    late = created.activation.completed(an_answer(), now=created.written_at)
    with pytest.raises(Conflict):
        backend.store.replace(late, created.version)
    assert again.version != created.version


def test_the_owner_is_named(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation(user_id="u1"))
    assert backend.store.owner(created.activation.activation_id) == "u1"


def test_nobody_owns_what_is_missing(backend: Backend) -> None:
    assert backend.store.owner(uuid.uuid4().hex) is None


@pytest.mark.parametrize("kind", UNREADABLE)
def test_the_owner_of_an_unreadable_one_is_named_and_can_erase_it(
    backend: Backend, kind: str
) -> None:
    created = backend.store.create(backend.an_activation(user_id="u1"))
    activation_id = created.activation.activation_id
    backend.change(activation_id, UNREADABLE[kind])
    assert backend.store.owner(activation_id) == "u1"
    backend.store.delete(activation_id)
    assert backend.store.owner(activation_id) is None


def test_erasing_twice_is_no_error(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    backend.store.delete(created.activation.activation_id)
    backend.store.delete(created.activation.activation_id)


def test_of_eight_that_claim_at_once_one_wins(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    start = threading.Barrier(8)
    won: list[str] = []

    def race(claim_id: str) -> None:
        claimed = created.activation.claimed(claim_id=claim_id, now=created.written_at, lease=LEASE)
        start.wait()
        try:
            backend.store.replace(claimed, created.version)
            won.append(claim_id)
        except Conflict:
            pass

    racers = [threading.Thread(target=race, args=(f"c{number}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    found = backend.store.get(created.activation.activation_id)
    assert found is not None
    assert won == [found.activation.claim_id]


def test_a_lease_expires_by_the_stores_own_time(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    years_off = created.written_at - timedelta(days=365)
    claimed = created.activation.claimed(claim_id="c", now=years_off, lease=LEASE)
    written = backend.store.replace(claimed, created.version)
    found = backend.store.get(claimed.activation_id)
    assert found is not None
    assert found.lease_is_live(LEASE)
    assert found.read_at >= written.written_at
    tiny = timedelta(milliseconds=50)

    def expired() -> bool:
        latest = backend.store.get(claimed.activation_id)
        return latest is not None and not latest.lease_is_live(tiny)

    eventually(expired, what="the lease's end")


def test_pages_go_on_where_the_last_one_ended_newest_first(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    created = [
        backend.an_activation(f"p{number}", user_id="pager", now=now + timedelta(seconds=number))
        for number in range(5)
    ]
    for activation in created:
        backend.store.create(activation)
    backend.store.create(backend.an_activation(user_id="somebody else"))
    first = backend.store.page("pager", limit=2)
    second = backend.store.page("pager", limit=2, cursor=first.cursor)
    third = backend.store.page("pager", limit=2, cursor=second.cursor)
    paged = [s.activation for page in (first, second, third) for s in page.items]
    assert paged == created[::-1]
    assert third.cursor is None


def test_a_page_does_not_lose_one_of_two_from_the_same_moment(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    created = {
        backend.store.create(
            backend.an_activation(user_id="twin", now=now)
        ).activation.activation_id
        for _ in range(3)
    }
    first = backend.store.page("twin", limit=1)
    second = backend.store.page("twin", limit=5, cursor=first.cursor)
    assert {s.activation.activation_id for s in (*first.items, *second.items)} == created


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTkgYQ"])
def test_a_cursor_that_was_not_handed_out_is_refused(backend: Backend, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        backend.store.page("pager", limit=2, cursor=cursor)


def test_due_are_those_whose_time_has_come_and_which_are_not_done(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    older = backend.store.create(backend.an_activation(now=now - timedelta(minutes=4)))
    newer = backend.store.create(backend.an_activation(now=now - timedelta(minutes=3)))
    backend.store.create(backend.an_activation(now=now))
    ended = backend.store.create(backend.an_activation(now=now - timedelta(minutes=5)))
    done = ended.activation.completed(an_answer(), now=now)
    backend.store.replace(done, ended.version)
    assert [s.activation for s in backend.store.due(now, limit=9)] == [
        older.activation,
        newer.activation,
    ]
    assert len(backend.store.due(now, limit=1)) == 1


def test_what_is_due_can_be_replaced_by_the_version_it_came_with(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    backend.store.create(backend.an_activation(now=now - timedelta(minutes=4)))
    (due,) = backend.store.due(now, limit=1)
    backend.store.replace(due.activation.requeued(now=now, due_at=now), due.version)


def test_recent_are_everybodys_of_late_newest_first_without_what_is_personal(
    backend: Backend,
) -> None:
    now = datetime.now(timezone.utc)
    created = [
        backend.an_activation(user_id=f"user {minutes}", now=now - timedelta(minutes=minutes))
        for minutes in (3, 1, 2)
    ]
    backend.store.create(backend.an_activation(now=now - timedelta(hours=2)))
    for wanted in created:
        backend.store.create(wanted)
    newest_first = [Summary.of(created[index]) for index in (1, 2, 0)]
    since = created[0].created_at
    assert backend.store.recent(since, limit=9) == newest_first
    assert backend.store.recent(since, limit=2) == newest_first[:2]


def test_recent_shows_how_it_ended_and_what_it_cost(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    spent = Usage(gemini_calls=2, prompt_tokens=30, output_tokens=4, gemini_ms=500)
    done = created.activation.completed(
        an_answer(source="fallback", fallback_reason="quota", usage=spent), now=created.written_at
    )
    backend.store.replace(done, created.version)
    (shown,) = backend.store.recent(done.created_at, limit=9)
    assert (shown.status, shown.source, shown.fallback_reason) == ("completed", "fallback", "quota")
    assert (shown.usage, shown.updated_at) == (spent, done.updated_at)


def test_recent_passes_over_the_expired_and_the_unreadable(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    backend.store.create(backend.an_activation(now=now - timedelta(days=31)))
    spoilt, fine = backend.an_activation(now=now), backend.an_activation(now=now)
    for wanted in (spoilt, fine):
        backend.store.create(wanted)
    backend.spoil(spoilt.activation_id)
    shown = backend.store.recent(now - timedelta(days=60), limit=9)
    assert [summary.activation_id for summary in shown] == [fine.activation_id]


def test_wait_returns_at_once_when_the_version_is_not_the_one_seen(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    found = backend.store.wait(created.activation.activation_id, seen="0", seconds=30)
    assert found is not None
    assert found.version == created.version


def test_wait_returns_the_same_when_nothing_changes_in_time(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    found = backend.store.wait(created.activation.activation_id, seen=created.version, seconds=0.1)
    assert found is not None
    assert found.version == created.version


def test_wait_wakes_up_when_another_thread_writes(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    cancelled = created.activation.cancelled(now=created.written_at)
    writer = threading.Timer(0.2, backend.store.replace, (cancelled, created.version))
    writer.start()
    found = backend.store.wait(created.activation.activation_id, seen=created.version, seconds=30)
    writer.join()
    assert found is not None
    assert found.activation.status == "cancelled"


def test_wait_ends_when_it_is_erased(backend: Backend) -> None:
    created = backend.store.create(backend.an_activation())
    backend.store.delete(created.activation.activation_id)
    assert (
        backend.store.wait(created.activation.activation_id, seen=created.version, seconds=30)
        is None
    )


def test_a_dead_letter_is_kept_once(backend: Backend) -> None:
    message_id = uuid.uuid4().hex
    letter = DeadLetter(
        message_id=message_id,
        data=b"\x00\xff",
        attributes={"a": "b"},
        why="because",
        received_at=datetime.now(timezone.utc),
    )
    backend.store.keep_dead_letter(letter)
    backend.store.keep_dead_letter(letter)
    assert backend.dead_letter(message_id) == b"\x00\xff"


def test_erasing_all_of_a_user_takes_the_unreadable_too_and_nothing_of_others(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.google.firestore.ERASED_AT_ONCE", 2)
    user_id, other = uuid.uuid4().hex, uuid.uuid4().hex
    own = [backend.an_activation(name, user_id=user_id) for name in "abcde"]
    theirs = backend.an_activation("t", user_id=other)
    for wanted in (*own, theirs):
        backend.store.create(wanted)
    backend.spoil(own[0].activation_id)
    backend.store.delete_all(user_id)
    assert [backend.store.get(wanted.activation_id) for wanted in own] == [None] * 5
    assert backend.store.get(theirs.activation_id) is not None
    backend.store.delete_all(user_id)


def test_erasing_all_of_a_user_takes_their_dead_letters_and_nobody_elses(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.google.firestore.ERASED_AT_ONCE", 2)
    user_id, other = uuid.uuid4().hex, uuid.uuid4().hex
    own = [backend.keep_letter_of("a1", user_id) for _ in range(3)]
    theirs = backend.keep_letter_of("a2", other)
    nobodys = backend.keep_letter(b"x")
    backend.store.delete_all(user_id)
    assert [backend.dead_letter(letter) for letter in own] == [None] * 3
    assert backend.dead_letter(theirs) is not None
    assert backend.dead_letter(nobodys) is not None


def test_erasing_one_takes_its_dead_letters_and_no_others(backend: Backend) -> None:
    erased, kept, user_id = (uuid.uuid4().hex for _ in range(3))
    letters = {name: backend.keep_letter_of(name, user_id) for name in (erased, kept)}
    backend.store.delete(erased)
    assert backend.dead_letter(letters[erased]) is None
    assert backend.dead_letter(letters[kept]) is not None


@pytest.mark.parametrize("kind", UNREADABLE)
def test_one_unreadable_document_hides_no_other(backend: Backend, kind: str) -> None:
    user_id = uuid.uuid4().hex
    names = [backend.an_activation(name, user_id=user_id) for name in "abc"]
    for wanted in names:
        backend.store.create(wanted)
    backend.change(names[1].activation_id, UNREADABLE[kind])
    readable = {names[0].activation_id, names[2].activation_id}
    shown = {item.activation.activation_id for item in backend.store.page(user_id, limit=9).items}
    later = datetime.now(timezone.utc) + timedelta(minutes=5)
    due = {stored.activation.activation_id for stored in backend.store.due(later, limit=900)}
    assert shown == readable
    assert readable <= due
    assert names[1].activation_id not in due
    with pytest.raises(StoreUnavailable):
        backend.store.get(names[1].activation_id)


def test_a_page_that_ends_with_a_time_that_is_none_goes_on(backend: Backend) -> None:
    user_id = uuid.uuid4().hex
    oldest_first = [backend.an_activation(name, user_id=user_id) for name in "abc"]
    for wanted in oldest_first:
        backend.store.create(wanted)
    for wanted in oldest_first[1:]:
        backend.change(wanted.activation_id, UNREADABLE["created_at is a word"])
    found, cursor = [], None
    for _ in range(3):
        page = backend.store.page(user_id, limit=1, cursor=cursor)
        found += [stored.activation for stored in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [oldest_first[0]]
    assert cursor is None


def test_unreadable_ones_take_no_place_among_those_that_are_due(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    longest_overdue_first = [
        backend.an_activation(now=now - timedelta(minutes=minutes)) for minutes in (8, 7, 6, 5)
    ]
    for wanted in longest_overdue_first:
        backend.store.create(wanted)
    for wanted in longest_overdue_first[:3]:
        backend.spoil(wanted.activation_id)
    (due,) = backend.store.due(now, limit=1)
    assert due.activation == longest_overdue_first[3]


def test_unreadable_ones_take_no_place_among_the_recent(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    oldest_first = [
        backend.an_activation(now=now - timedelta(minutes=minutes)) for minutes in (3, 2, 1)
    ]
    for wanted in oldest_first:
        backend.store.create(wanted)
    for wanted in oldest_first[1:]:
        backend.spoil(wanted.activation_id)
    (shown,) = backend.store.recent(oldest_first[0].created_at, limit=1)
    assert shown.activation_id == oldest_first[0].activation_id


def completed_by_a_later_release(backend: Backend) -> Activation:
    created = backend.store.create(backend.an_activation(user_id=uuid.uuid4().hex))
    done = created.activation.completed(an_answer(), now=created.written_at)
    backend.store.replace(done, created.version)
    backend.change(done.activation_id, later_release)
    return done


def test_what_a_later_release_has_completed_is_read(backend: Backend) -> None:
    written = completed_by_a_later_release(backend)
    found = backend.store.get(written.activation_id)
    assert found is not None
    assert found.activation.step is not None
    assert found.activation.done
    assert found.activation.step.activation_type == "dance"
    assert (found.activation.source, found.activation.fallback_reason) == ("coach", "holiday")
    (listed,) = backend.store.page(written.user_id, limit=9).items
    assert listed.activation == found.activation
    (recent,) = backend.store.recent(written.created_at, limit=9)
    assert (recent.source, recent.fallback_reason) == ("coach", "holiday")


def test_one_in_a_status_of_a_later_release_is_read_but_never_due(backend: Backend) -> None:
    now = datetime.now(timezone.utc)
    paused, waiting = (
        backend.an_activation(now=now - timedelta(minutes=minutes)) for minutes in (6, 5)
    )
    for wanted in (paused, waiting):
        backend.store.create(wanted)
    backend.change(paused.activation_id, lambda document: document.update(status="paused"))
    (due,) = backend.store.due(now, limit=1)
    assert due.activation == waiting
    found = backend.store.get(paused.activation_id)
    assert found is not None
    assert (found.activation.status, found.activation.done) == ("paused", False)


def test_a_field_of_a_later_release_outlives_a_write_of_this_one(backend: Backend) -> None:
    wanted = backend.an_activation()
    backend.store.create(wanted)
    backend.change(wanted.activation_id, lambda document: document.update(feedback={"done": True}))
    found = backend.store.get(wanted.activation_id)
    assert found is not None
    backend.store.replace(found.activation.cancelled(now=found.read_at), found.version)
    kept: list[dict[str, Any]] = []
    backend.change(wanted.activation_id, kept.append)
    assert kept[0]["feedback"] == {"done": True}
    assert kept[0]["status"] == "cancelled"
    assert "due_at" not in kept[0]


def test_pages_go_on_behind_a_page_that_nobody_can_read(backend: Backend) -> None:
    user_id = uuid.uuid4().hex
    oldest_first = [backend.an_activation(name, user_id=user_id) for name in "abc"]
    for wanted in oldest_first:
        backend.store.create(wanted)
    for wanted in oldest_first[1:]:
        backend.spoil(wanted.activation_id)
    first = backend.store.page(user_id, limit=2)
    assert first.items == ()
    assert first.cursor is not None
    (shown,) = backend.store.page(user_id, limit=2, cursor=first.cursor).items
    assert shown.activation.activation_id == oldest_first[0].activation_id


def test_a_dead_letter_with_odd_attributes_is_kept(backend: Backend) -> None:
    message_id = uuid.uuid4().hex
    letter = DeadLetter(
        message_id=message_id,
        data=b"x",
        attributes={"": "empty", "__reserved__": "1", "a.b/c`": "2", "å" * 800: "3"},
        why="because",
        received_at=datetime.now(timezone.utc),
    )
    backend.store.keep_dead_letter(letter)
    assert backend.dead_letter(message_id) == b"x"


def test_dead_letters_are_counted_up_to_a_bound(backend: Backend) -> None:
    before = backend.store.count_dead_letters(up_to=900)
    for _ in range(3):
        backend.keep_letter(b"x")
    assert backend.store.count_dead_letters(up_to=900) == before + 3
    assert backend.store.count_dead_letters(up_to=2) == 2


def test_answers_a_ping(backend: Backend) -> None:
    backend.store.ping()
