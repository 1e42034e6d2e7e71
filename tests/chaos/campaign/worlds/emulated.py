"""The production entry points on Google's emulators."""

import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPIError, NotFound
from google.cloud import pubsub_v1

from local.emulators.programs import find_emulators, wait_until_listening
from shared.domain.messages import Message
from shared.google.adapters import google_adapters
from shared.ports import ActivationStore, Publisher
from shared.settings import read_settings
from tests.chaos.campaign.proxy import Proxy
from tests.chaos.campaign.worlds.world import LOOK_SECONDS, PROJECT, READY_SECONDS, TOPIC, World
from tests.e2e.pipeline import MARK
from tests.support.emulators import free_port
from tests.support.eventually import eventually

TAP = "campaign-tap"


class Emulated(World):
    """The production entry points on Google's emulators, each link behind a proxy. Whoever ends is
    started again by the campaign, as Cloud Run would."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(folder, environment)
        self._pubsub, self._firestore = free_port(), free_port()
        self._exports = 0
        self._subscriber: pubsub_v1.SubscriberClient | None = None

    def start(self) -> None:
        programs = find_emulators()
        marked = {MARK: self.mark}
        self.children["pubsub"] = dataclasses.replace(
            programs.pubsub(self._pubsub, self.folder), env=marked
        )
        self.children["firestore"] = dataclasses.replace(
            programs.firestore(self._firestore, self.folder), env=marked
        )
        emulators = list(self.children.values())
        for child in emulators:
            child.start()
        wait_until_listening(emulators, (self._pubsub, self._firestore))
        self._open_proxies()
        self._add_services()
        self.keep_up()
        self.wait_until_ready(*self.ports)
        eventually(self._subscribed, seconds=READY_SECONDS, what="the subscription")

    def stop(self) -> None:
        self.stop_children()
        for name in ("pubsub", "firestore", "push"):
            self.proxies[name].__exit__()

    def store(self) -> ActivationStore:
        return google_adapters(read_settings())[0]

    def publisher(self) -> Publisher:
        return google_adapters(read_settings())[1]

    def read(self) -> Iterable[Message]:
        subscriber = self._subscriber = self._subscriber or pubsub_v1.SubscriberClient()
        path = subscriber.subscription_path(PROJECT, TAP)
        asked: dict[str, Any] = {"timeout": 2.0, "retry": None}
        try:
            found = subscriber.pull(subscription=path, max_messages=100, **asked).received_messages
            acks = [received.ack_id for received in found]
            if acks:
                subscriber.acknowledge(subscription=path, ack_ids=acks, **asked)
        except NotFound:
            topic = f"projects/{PROJECT}/topics/{TOPIC}"
            with contextlib.suppress(GoogleAPIError):
                subscriber.create_subscription(name=path, topic=topic, **asked)
            time.sleep(LOOK_SECONDS)
            return []
        except GoogleAPIError:
            time.sleep(LOOK_SECONDS)
            return []
        return [Message(one.message.data, dict(one.message.attributes)) for one in found]

    def restart_firestore(self) -> None:
        """Killed, with what it held exported before and imported after: it keeps nothing itself.
        In between nobody reaches it."""
        proxy = self.proxies["firestore"]
        proxy.disturb("black hole")
        try:
            self._exports += 1
            name = f"export{self._exports}"
            answer = requests.post(
                f"http://127.0.0.1:{self._firestore}/emulator/v1/projects/{PROJECT}:export",
                json={
                    "database": f"projects/{PROJECT}/databases/(default)",
                    "export_directory": str(self.folder),
                    "export_name": name,
                },
                timeout=30,
            )
            answer.raise_for_status()
            child = self.children["firestore"]
            metadata = self.folder / name / f"{name}.overall_export_metadata"
            plain = [word for word in child.argv if not word.startswith("--import-data")]
            child.argv = [*plain, f"--import-data={metadata}"]
            killed = child.pid
            os.killpg(killed or 0, signal.SIGKILL)
            eventually(lambda: child.pid != killed, what="a new Firestore emulator")
            wait_until_listening([child], [self._firestore])
        finally:
            proxy.heal()

    def _open_proxies(self) -> None:
        behind = {
            "pubsub": self._pubsub,
            "firestore": self._firestore,
            "push": self.ports["worker"],
        }
        for name, port in behind.items():
            self.proxies[name] = Proxy(port).__enter__()
        # Ours, without a proxy between: to publish, to tap, to audit.
        os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{self._pubsub}"
        os.environ["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{self._firestore}"
        os.environ["GOOGLE_CLOUD_PROJECT"] = PROJECT

    def _add_services(self) -> None:
        behind_proxies = {
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{self.proxies['pubsub'].port}",
            "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{self.proxies['firestore'].port}",
            "no_grpc_proxy": "127.0.0.1",
        }
        for name in self.ports:
            self.add(name, [name.split()[-1]], behind_proxies)
        push = f"http://127.0.0.1:{self.proxies['push'].port}"
        self.children["timer"] = self.child(
            "timer", [sys.executable, "-m", "local.emulators.timer", "--worker-url", push]
        )

    def _subscribed(self) -> bool:
        self.read()
        path = f"projects/{PROJECT}/subscriptions/activation-requests-push"
        try:
            assert self._subscriber is not None
            self._subscriber.get_subscription(subscription=path, timeout=2.0, retry=None)
        except GoogleAPIError:
            return False
        return True
