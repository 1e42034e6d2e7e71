"""What was seen during a campaign, by whom and when: plain values that the auditor judges.

Times are seconds since 1970, by this machine's clock, which all its processes share.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.domain.activation import Activation


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A client was told that its request is accepted."""

    activation_id: str
    marker: str
    user: str
    sent_at: float
    answered_at: float
    deadline: float
    surely_sent_once: bool = True
    """Each request for it was answered: no copy is still on its way."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A terminal state as somebody saw it."""

    activation_id: str
    status: str
    source: str | None
    reason: str | None
    step: str
    """As text."""
    updated_ms: int
    """Firestore's emulator keeps milliseconds of a time, after an import."""

    @classmethod
    def shown(cls, body: dict[str, Any]) -> "Ending":
        """From a representation."""
        return cls(
            activation_id=body["activation_id"],
            status=body["status"],
            source=body["source"],
            reason=body["fallback_reason"],
            step=json.dumps(body["step"], sort_keys=True),
            updated_ms=int(seconds_of(body["updated_at"]) * 1000),
        )


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """`activation_id` is None where all of the user's were to be erased."""

    user: str
    activation_id: str | None
    sent_at: float
    answered_at: float
    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as the fake Gemini served it."""

    marker: str
    worker: str
    kind: str
    started: float
    ended: float
    paid: bool
    """It was answered with a whole and valid step, received or not."""


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    activation_id: str
    worker: str
    at: float
    calls: int
    fate: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """From when to when a fault was felt, recovery included. `what` is the fault's kind."""

    what: str
    start: float
    end: float
    excuses: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkerEnd:
    """A process of this worker was gone, killed or drained. `asked_at`: when it was told to."""

    worker: str
    asked_at: float
    at: float


@dataclass(frozen=True, kw_only=True)
class EndState:
    """An activation as the store holds it at the end."""

    activation_id: str
    user: str
    goal: str
    status: str
    done: bool
    created: float
    updated: float
    deadline: float
    source: str | None
    reason: str | None
    step: str

    @classmethod
    def stored(cls, activation: Activation) -> "EndState":
        return cls(
            activation_id=activation.activation_id,
            user=activation.user_id,
            goal=activation.goal,
            status=activation.status,
            done=activation.done,
            created=activation.created_at.timestamp(),
            updated=activation.updated_at.timestamp(),
            deadline=activation.deadline.timestamp(),
            source=activation.source,
            reason=activation.fallback_reason,
            step=activation.step.model_dump_json() if activation.step else "",
        )


@dataclass
class History:
    """All of it. Several threads append; whoever reads does so when they have ended."""

    promises: list[Promise] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    bad_answers: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)
    """Somebody was shown what is another's."""
    marker_of: dict[str, str] = field(default_factory=dict)
    """By activation id, as seen in the queue: also of those whose client got no answer."""
    ids_of_key: dict[str, set[str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    ledger: list[LedgerLine] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    worker_ends: list[WorkerEnd] = field(default_factory=list)
    stored: dict[str, EndState] = field(default_factory=dict)
    tracebacks: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, who: str, status: int | None, *, detail: str = "") -> None:
        """None: no answer came. A 5xx other than 503 and 504 is a defect."""
        with self._lock:
            self.statuses[f"{who} {status or 'no answer'}"] += 1
            if status is not None and status >= 500 and status not in (503, 504):
                self.bad_answers.append(f"{who} {status} {detail}".strip())

    def keyed(self, key: str, activation_id: str) -> None:
        with self._lock:
            self.ids_of_key.setdefault(key, set()).add(activation_id)


def seconds_of(moment: str) -> float:
    """Of an ISO 8601 time."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_PAIR = re.compile(r"(\w+)=('[^']*'|\S+)")


def log_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The events of a log in JSON or as on a terminal, with `event` and `at`; other lines are
    left out."""
    for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
        if line.startswith("{"):
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            at, event = str(fields.get("timestamp", "")), str(fields.get("message", ""))
        else:
            found = _TIME.match(line)
            at, rest = (found[0] if found else ""), line[len(found[0]) if found else 0 :]
            words = rest.partition("]")[2].split(maxsplit=1)
            event = words[0] if words else ""
            fields = {name: value.strip("'") for name, value in _PAIR.findall(rest)}
        if at and event:
            yield {**fields, "event": event, "at": seconds_of(at)}


def ledger_of(file: Path, worker: str) -> Iterator[LedgerLine]:
    for line in log_lines(file):
        if line["event"] == "gemini.usage":
            yield LedgerLine(
                activation_id=line["activation_id"],
                worker=worker,
                at=line["at"],
                calls=int(line["gemini_calls"]),
                fate=line["fate"],
            )


def tracebacks_in(files: Iterable[Path]) -> Iterator[str]:
    """Where each stands, and each error that a service caught last of all and logged."""
    for file in files:
        unexpected = (line for line in log_lines(file) if line["event"] == "unexpected")
        yield from (f"{file.name} {seen.get('error')} {seen['at']:.3f}" for seen in unexpected)
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        for number, line in enumerate(lines, 1):
            if "Traceback (most recent call last)" in line:
                last = next((text for text in lines[number:] if text and text[0] != " "), "")
                yield f"{file.name}:{number} {last[:80]}"
