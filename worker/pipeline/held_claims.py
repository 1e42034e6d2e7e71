"""The claims that this process holds, given back when it must end before they are finished.

Cloud Run sends SIGTERM and kills 10 s later; a Gemini call may take longer. A claim that is given
back is taken up by the next delivery at once, instead of when its lease is over.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog

from shared.domain.activation import Usage
from shared.domain.history import Attempt
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored
from worker.gemini.calls import Calls
from worker.pipeline.records import ClaimEnd, record_usage

log = structlog.get_logger(__name__)


class HeldClaims:
    """`given_back` is set when this process has given its claims back: nobody may work on one any
    more, or call Gemini for it. What is written after that meets a conflict: the version fences."""

    def __init__(self, store: ActivationStore, given_back: threading.Event | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._held: dict[str, Stored] = {}
        self._calls: dict[str, Calls] = {}
        self._draining = threading.Event()
        self.given_back = given_back or threading.Event()

    @property
    def draining(self) -> bool:
        """Whether this process takes up nothing new, because it is about to end."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Take up nothing new from now on; what is held may still be finished."""
        self._draining.set()

    def hold(self, claimed: Stored) -> bool:
        """Hold a claim until `drop`. False where the claims were given back while this one was
        being written: then it is given back here, and nobody may work on it."""
        with self._lock:
            if not self.given_back.is_set():
                self._held[_key(claimed)] = claimed
                return True
        self._give_back(claimed)
        return False

    def calls_begin(self, claimed: Stored, calls: Calls) -> None:
        """From now on `release_all` accounts for these, too."""
        with self._lock:
            self._calls[_key(claimed)] = calls

    def drop(self, claimed: Stored) -> None:
        """Hold it no more: its work has ended."""
        with self._lock:
            self._held.pop(_key(claimed), None)
            self._calls.pop(_key(claimed), None)

    def release_all(self) -> int:
        """Give back all that is held, and return how many were.

        The Gemini call of such a claim is paid for: it is entered in the ledger and the activation.
        Its attempt is given back, since the message was not at fault.
        """
        self.drain()
        with self._lock:
            self.given_back.set()
            held = list(self._held.values())
        # All at once, as many as there are threads at most: in turns of 16, 50 of them at a slow
        # store (1.2 s each) would outlast the 3 s that are left before the kill.
        with ThreadPoolExecutor(max(1, len(held)), thread_name_prefix="release") as pool:
            return sum(pool.map(self._give_back, held))

    def _give_back(self, claimed: Stored) -> bool:
        activation = claimed.activation
        named = log.bind(activation_id=activation.activation_id)
        # The store's own time of the claim: it has passed, so it may be claimed at once.
        now = claimed.written_at
        with self._lock:
            calls = self._calls.get(_key(claimed))
        spent, attempts = calls.stop() if calls else (Usage(), ())
        attempts = attempts or (Attempt(at=now, outcome="shutdown", ms=0),)
        wanted = activation.released(now=now, not_before=now, spent=spent, attempts=attempts)
        end: ClaimEnd = "released"
        try:
            self._store.replace(wanted, claimed.version)
            named.warning("claim.given_back")
        except Conflict:
            end = "dropped"  # or finished: then no call is under way
        except StoreUnavailable as error:
            end = "unwritten"
            named.error("claim.not_given_back", error=str(error))
        # After the write: a call that has returned meanwhile is entered by its thread, with tokens.
        record_usage(activation, calls.cut() if calls else {}, end)
        return end == "released"


def _key(claimed: Stored) -> str:
    return claimed.activation.claim_id or ""
