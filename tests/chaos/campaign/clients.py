"""The clients: each journey submits and then waits, polls, cancels, erases or lists, and records
what it was promised and all that it was shown."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests

from tests.chaos.campaign.history import Ending, Erasure, History, Promise, seconds_of
from tests.chaos.campaign.plan import USERS, Journey, Plan, markers_in

AT_ONCE = 32
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 6.0
"""How long a journey watches; the end of each activation is looked at again when all is over."""

TIMEOUT_SECONDS = 25.0
MOST_SENDS = 10


@dataclass(frozen=True)
class Clients:
    url: str
    history: History
    token: Callable[[str], str]
    """The bearer token of a user."""

    @cached_property
    def own_deadlines(self) -> bool:
        """Whether the API takes `deadline_seconds`, as its document says."""
        return "deadline_seconds" in requests.get(f"{self.url}/openapi.json", timeout=10).text

    def run(self, plan: Plan, start: float) -> None:
        """All journeys, each at its time after `start`; returns when the last has ended."""
        _ = self.own_deadlines  # asked while nothing disturbs the ingress
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="client") as pool:
            ways = []
            for journey in plan.journeys:
                time.sleep(max(0.0, start + journey.at - time.time()))
                ways.append(pool.submit(_Way(self, journey, plan.seed).go))
            for way in ways:
                way.result()

    def ask(
        self, method: str, path: str, user: str, who: str, **given: Any
    ) -> requests.Response | None:
        """None when no answer came, which is recorded like any answer."""
        headers = {"Authorization": f"Bearer {self.token(user)}", **given.pop("headers", {})}
        answer: requests.Response | None = None
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(
                    method,
                    f"{self.url}{path}",
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    **given,
                )
            except requests.RequestException:
                self.history.answered(who, None)
                return None
        detail = f"{answer.headers.get('X-Request-Id', '')} {path}"
        self.history.answered(who, answer.status_code, detail=detail)
        return answer

    def saw(self, shown: dict[str, Any], marker: str | None) -> None:
        """`marker` is None where it is not known whose words are to be expected."""
        strangers = markers_in(str(shown)) - {marker} if marker else set()
        if strangers:
            self.history.mixed_up.append(f"{shown['activation_id']} showed {strangers}")
        if shown["done"]:
            self.history.endings.append(Ending.shown(shown))

    def look_once_more(self) -> None:
        """At the end of each promised activation."""
        promises = {promise.activation_id: promise for promise in self.history.promises}

        def look(promise: Promise) -> None:
            path = f"/activations/{promise.activation_id}"
            answer = self.ask("GET", path, promise.user, "look once more")
            if answer is not None and answer.status_code == 200:
                self.saw(answer.json(), promise.marker)

        with ThreadPoolExecutor(AT_ONCE // 4) as pool:
            list(pool.map(look, promises.values()))


class _Way:
    """One journey under way."""

    def __init__(self, clients: Clients, journey: Journey, seed: int) -> None:
        self._clients = clients
        self._journey = journey
        self._history = clients.history
        self._key = f"key-{seed}-{journey.number}"
        self._etag: str | None = None

    def go(self) -> None:
        activation_id = self._submit()
        if activation_id is None:
            return
        time.sleep(self._journey.after)
        self._then(activation_id)
        self._watch(activation_id)

    def _submit(self) -> str | None:
        sends = self._journey.sends
        sent_at = time.time()
        if self._journey.at_once and sends > 1:
            with ThreadPoolExecutor(sends) as pool:
                answers = list(pool.map(lambda _: self._send(), range(sends)))
        else:
            answers = [self._send() for _ in range(sends)]
        while self._journey.keyed and answers[-1] is None and len(answers) < MOST_SENDS:
            time.sleep(1)  # with a key it is safe to try again
            answers.append(self._send())
        found = [answer for answer in answers if isinstance(answer, tuple)]
        for activation_id, deadline in found:
            if self._journey.keyed:
                self._history.keyed(self._key, activation_id)
            self._history.promises.append(
                Promise(
                    activation_id=activation_id,
                    marker=self._journey.marker,
                    user=self._journey.user,
                    sent_at=sent_at,
                    answered_at=time.time(),
                    deadline=deadline,
                    surely_sent_once=None not in answers,
                )
            )
        return found[0][0] if found else None

    def _send(self) -> tuple[str, float] | str | None:
        """The id and the deadline that were promised; "refused"; None when no answer came."""
        journey, headers = self._journey, {}
        if journey.keyed:
            headers["Idempotency-Key"] = self._key
        if journey.wait is not None and not journey.first_frontend:
            headers["Prefer"] = f"wait={journey.wait}"
        path = "/gemini/getActivation" if journey.first_frontend else "/activations"
        body: dict[str, Any] = {"mood": journey.mood, "goal": f"komma igång {journey.marker}"}
        if journey.deadline_seconds and self._clients.own_deadlines:
            body["deadline_seconds"] = journey.deadline_seconds
        answer = self._clients.ask(
            "POST", path, journey.user, f"POST {path}", json=body, headers=headers
        )
        if answer is None:
            return None
        shown = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
        if "activation_id" not in shown:
            return "refused"
        if "done" in shown:
            self._clients.saw(shown, journey.marker)
        deadline = shown.get("deadline")
        return str(shown["activation_id"]), seconds_of(deadline) if deadline else 0.0

    def _then(self, activation_id: str) -> None:
        path, user = f"/activations/{activation_id}", self._journey.user
        then = self._journey.then
        if then == "cancel":
            answer = self._clients.ask("POST", f"{path}/cancel", user, "cancel")
            if answer is not None and answer.status_code == 200:
                self._clients.saw(answer.json(), self._journey.marker)
        elif then == "erase":
            self._erase(path, activation_id)
        elif then == "erase all":
            self._erase("/activations", None)
        elif then == "list":
            self._list()
        elif then == "peek":
            stranger = next(name for name in USERS if name != user)
            answer = self._clients.ask("GET", path, stranger, "peek")
            if answer is not None and answer.status_code not in (404, 503):
                said = f"{activation_id} of {user} was answered {answer.status_code} to {stranger}"
                self._history.mixed_up.append(said)

    def _erase(self, path: str, activation_id: str | None) -> None:
        sent_at = time.time()
        answer = self._clients.ask("DELETE", path, self._journey.user, "erase")
        self._history.erasures.append(
            Erasure(
                user=self._journey.user,
                activation_id=activation_id,
                sent_at=sent_at,
                answered_at=time.time(),
                confirmed=answer is not None and answer.status_code == 204,
            )
        )

    def _list(self) -> None:
        answer = self._clients.ask("GET", "/activations?limit=50", self._journey.user, "list")
        if answer is None or answer.status_code != 200:
            return
        known = {p.activation_id: p for p in list(self._history.promises)}
        for item in answer.json()["items"]:
            promise = known.get(item["activation_id"])
            self._clients.saw(item, promise.marker if promise else None)
            if promise and promise.user != self._journey.user:
                said = f"{promise.activation_id} of {promise.user} in {self._journey.user}'s list"
                self._history.mixed_up.append(said)

    def _watch(self, activation_id: str) -> None:
        """Poll with the ETag, now and then waiting at the server, until it is done."""
        end = time.time() + PATIENCE_SECONDS
        while time.time() < end:
            headers = {"If-None-Match": self._etag} if self._etag else {}
            if self._journey.wait is not None:
                headers["Prefer"] = f"wait={self._journey.wait}"
            path = f"/activations/{activation_id}"
            answer = self._clients.ask("GET", path, self._journey.user, "poll", headers=headers)
            if answer is not None and answer.status_code == 404:
                return
            if answer is not None and answer.status_code == 200:
                self._etag = answer.headers.get("ETag")
                shown = answer.json()
                self._clients.saw(shown, self._journey.marker)
                if shown["done"]:
                    return
            time.sleep(POLL_SECONDS)
