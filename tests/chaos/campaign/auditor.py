"""Compare what clients were promised, what the store holds, what the ledger says and what the fake
Gemini served. Each count is to be 0; what is counted is named."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tests.chaos.campaign.history import (
    Call,
    EndState,
    Erasure,
    History,
    LedgerLine,
    Promise,
    Window,
)
from tests.chaos.campaign.plan import MARGIN_SECONDS, SWEEP_SECONDS, markers_in

Findings = dict[str, list[str]]

SETTLED_SECONDS = 30.0
"""A request whose answer was lost may be carried out until then: a server was stopped, and went on
when it could."""

CUTTING = ("firestore", "database", "disk")
"""In the names of the faults that keep us from writing a result."""

CLAIM_SECONDS = 30.0
"""The longest claim: LEASE_SECONDS of the campaign."""

ON_ITS_WAY_SECONDS = 0.5
"""An answer of Gemini's, through the proxy that may hold it."""


def audit(history: History) -> Findings:
    fates = list(chain.from_iterable(_fates(history)))
    return {
        "lost": list(_lost(history)),
        "stuck past deadline + sweep": list(_stuck(history)),
        "changed after the end": list(_changed(history)),
        "came back after erasing": list(_came_back(history)),
        "one key, several activations": [
            f"{key}: {', '.join(sorted(ids))}"
            for key, ids in history.ids_of_key.items()
            if len(ids) > 1
        ],
        "double-paid beyond interruptions": list(_double_paid(history, fates)),
        "uncounted calls": [
            f"{fate.call.marker} {fate.call.kind} by the {fate.call.worker}"
            for fate in fates
            if fate.call.paid and fate.line is None and not fate.crashed
        ],
        "answered to the wrong user": [*history.mixed_up, *_mixed_up(history)],
        "5xx other than 503 and 504": list(history.bad_answers),
        "tracebacks": list(history.tracebacks),
        "processes left": list(history.left_behind),
    }


@dataclass(frozen=True)
class Fate:
    """What became of a call: in which line of the ledger it stands, or that its worker ended."""

    call: Call
    line: LedgerLine | None = None
    crashed: bool = False


def _stored(history: History) -> Collection[EndState]:
    return history.stored.values()


def _lost(history: History) -> Iterator[str]:
    for promise in _one_each(history.promises):
        found = history.stored.get(promise.activation_id)
        if found is None and _erased(promise, history.erasures) == "no":
            yield f"{promise.activation_id} ({promise.marker}) is not in the store"
        if found is not None and not found.done:
            yield f"{promise.activation_id} ({promise.marker}) is {found.status} at the end"


def _stuck(history: History) -> Iterator[str]:
    outages = [window for window in history.windows if window.excuses]
    for found in _stored(history):
        late = found.updated - latest_moment(found.deadline, outages)
        if found.done and found.status == "completed" and late > 0:
            yield (
                f"{found.activation_id} ({found.reason or found.source}) "
                f"{found.updated - found.deadline:.1f} s after its deadline, {late:.1f} too late"
            )


def latest_moment(deadline: float, outages: Sequence[Window]) -> float:
    """The end of the first undisturbed interval of the sweep after the deadline."""
    start = deadline
    for outage in sorted(outages, key=lambda window: window.start):
        if outage.end > start and outage.start < start + SWEEP_SECONDS + MARGIN_SECONDS:
            start = outage.end
    return start + SWEEP_SECONDS + MARGIN_SECONDS


def _changed(history: History) -> Iterator[str]:
    seen = defaultdict(set)
    for ending in history.endings:
        seen[ending.activation_id].add(ending)
    made_again = _made_again(history)
    for activation_id, endings in seen.items():
        if len(endings) > 1 + made_again[activation_id]:
            ways = (f"{e.status}/{e.reason or e.source}/{e.updated_ms}" for e in endings)
            yield f"{activation_id}: {', '.join(sorted(ways))}"


def _came_back(history: History) -> Iterator[str]:
    for promise in _one_each(history.promises):
        there = promise.activation_id in history.stored and promise.surely_sent_once
        if there and _erased(promise, history.erasures) == "yes":
            yield f"{promise.activation_id} ({promise.marker})"


def _made_again(history: History) -> Counter[str]:
    """How often an activation may have been made once more: erased between two requests that came
    with the same key."""
    times: Counter[str] = Counter()
    for promise in _one_each(history.promises):
        settled = promise.answered_at + (0 if promise.surely_sent_once else SETTLED_SECONDS)
        times[promise.activation_id] = sum(
            erasure.sent_at < settled and erasure.answered_at > promise.sent_at
            for erasure in _those_that_may_hit(promise, history.erasures)
        )
    return times


def _those_that_may_hit(promise: Promise, erasures: Sequence[Erasure]) -> list[Erasure]:
    named = (None, promise.activation_id)
    return [one for one in erasures if one.user == promise.user and one.activation_id in named]


def _erased(promise: Promise, erasures: Sequence[Erasure]) -> str:
    """yes, no, or maybe: an erasure without an answer, or at the same time as the submit."""
    answer = "no"
    for erasure in _those_that_may_hit(promise, erasures):
        if erasure.confirmed and promise.answered_at < erasure.sent_at:
            return "yes"
        settled = erasure.answered_at + (0 if erasure.confirmed else SETTLED_SECONDS)
        if promise.sent_at < settled:
            answer = "maybe"
    return answer


def _fates(history: History) -> Iterator[list[Fate]]:
    """For each activation and worker: each line of the ledger stands for the oldest calls before
    it that no line stands for; the end of a worker's process takes those that are left."""
    marks = {
        **history.marker_of,
        **{one.activation_id: next(iter(markers_in(one.goal)), "") for one in _stored(history)},
        **{promise.activation_id: promise.marker for promise in history.promises},
    }
    known = set(marks.values())
    groups: dict[tuple[str, str], list[tuple[float, int, Call | LedgerLine]]] = defaultdict(list)
    for call in history.calls:
        if call.marker not in known:
            continue  # nobody was told its id, and it was erased: no line can be found for it
        groups[call.marker, call.worker].append((call.started, 0, call))
    for line in history.ledger:
        groups[marks.get(line.activation_id, ""), line.worker].append((line.at, 1, line))
    for (_, worker), events in groups.items():
        ends = [(end.at, 2, None) for end in history.worker_ends if end.worker == worker]
        yield list(_fates_of(sorted([*events, *ends], key=lambda event: event[:2])))


def _fates_of(
    events: Sequence[tuple[float, int, Call | LedgerLine | None]],
) -> Iterator[Fate]:
    waiting: list[Call] = []
    for _, _, event in events:
        if isinstance(event, Call):
            waiting.append(event)
            continue
        if event is None:
            yield from (Fate(call, crashed=True) for call in waiting)
            waiting = []
        else:
            yield from (Fate(call, event) for call in waiting[: event.calls])
            waiting = waiting[event.calls :]
    yield from map(Fate, waiting)


def _double_paid(history: History, fates: Sequence[Fate]) -> Iterator[str]:
    """Paid calls of an activation ≤ 1 + those of them that were cut off; 1 for each time that it
    was made."""
    times = _made_again(history)
    made_again = {promise.marker: times[promise.activation_id] for promise in history.promises}
    paid = defaultdict(list)
    for fate in fates:
        if fate.call.paid:
            paid[fate.call.marker].append(fate)
    for marker, of_one in paid.items():
        cut_off = sum(is_cut_off(fate, history) for fate in of_one)
        if len(of_one) > 1 + made_again.get(marker, 0) + cut_off:
            yield f"{marker}: {len(of_one)} paid calls, {cut_off} of them cut off"


def is_cut_off(fate: Fate, history: History) -> bool:
    """Whether a fault kept the answer from us, or kept us from writing it."""
    call, line = fate.call, fate.line
    if fate.crashed or call.kind != "answer":
        return True
    answering = _felt(history, call.started, call.ended + ON_ITS_WAY_SECONDS)
    if any(what.startswith("proxy gemini") for what in answering):
        return True
    if line is None or line.fate == "completed":
        return False
    if "restart firestore" in _felt(history, line.at - CLAIM_SECONDS, line.at):
        return True  # the import gives each document a new version: claims that were held are lost
    felt = _felt(history, call.started, line.at)
    ended = any(
        one.worker == call.worker and one.asked_at < line.at and one.at > call.started
        for one in history.worker_ends
    )
    return ended or any(name in what for what in felt for name in (f"stop {call.worker}", *CUTTING))


def _felt(history: History, start: float, end: float) -> list[str]:
    return [window.what for window in history.windows if window.start < end and window.end > start]


def _mixed_up(history: History) -> Iterator[str]:
    owner = {promise.activation_id: promise for promise in history.promises}
    for found in _stored(history):
        promise = owner.get(found.activation_id)
        if markers_in(found.step) - markers_in(found.goal):
            yield f"{found.activation_id} holds the step of {markers_in(found.step)}"
        if promise and (promise.user, {promise.marker}) != (found.user, markers_in(found.goal)):
            yield f"{found.activation_id} of {promise.user} is stored for {found.user}"


def _one_each(promises: Sequence[Promise]) -> Sequence[Promise]:
    """The first of each activation, which says most about an erasure that came later."""
    first: dict[str, Promise] = {}
    for promise in promises:
        earlier = first.get(promise.activation_id)
        if earlier is None or promise.answered_at < earlier.answered_at:
            first[promise.activation_id] = promise
    return list(first.values())


def summary(stored: Sequence[EndState]) -> dict[str, int]:
    """How the stored ones ended: by status, source and reason."""
    counts: dict[str, int] = defaultdict(int)
    for found in stored:
        named = " ".join(filter(None, (found.status, found.source, found.reason)))
        counts[named] += 1
    return dict(sorted(counts.items()))
