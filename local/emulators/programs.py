"""Find Google's official emulators and start them.

They come with the Google Cloud CLI (`gcloud components install pubsub-emulator
cloud-firestore-emulator`, or Debian's packages of the same name) and need Java. Started
from the SDK's platform/ folder they listen in a second or two; through `gcloud beta
emulators` it takes three times as long.
"""

import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.run.ports_in_use import LOOPBACK
from local.run.processes import Child, NotReady
from shared.errors import SettingsError

PUBSUB_PORT = 8085
FIRESTORE_PORT = 8086
"""gcloud's own default for Pub/Sub, and the one beside it: Firestore's default is our ingress'."""

LISTEN_SECONDS = 60.0
LOOK_SECONDS = 0.1

_PUBSUB = Path("platform/pubsub-emulator/bin/cloud-pubsub-emulator")
_FIRESTORE = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


@dataclass(frozen=True)
class Emulators:
    """The two programs, found."""

    pubsub_program: Path
    firestore_jar: Path

    def pubsub(self, port: int, folder: Path) -> Child:
        data_dir = folder / "pubsub"
        data_dir.mkdir(parents=True, exist_ok=True)  # the emulator does not make it
        return Child(
            name="pubsub emulator",
            argv=[
                str(self.pubsub_program),
                f"--host={LOOPBACK}",
                f"--port={port}",
                f"--data-dir={data_dir}",
            ],
            log=folder / "pubsub-emulator.log",
        )

    def firestore(self, port: int, folder: Path, *, rules: Path | None = None) -> Child:
        """With `rules` it asks those who come without IAM, as production does."""
        folder.mkdir(parents=True, exist_ok=True)
        return Child(
            name="firestore emulator",
            # Its script would stay between us and Java, and leave Java behind when it is stopped.
            argv=[
                *("java", "-Duser.language=en", "-cp", str(self.firestore_jar), FIRESTORE_MAIN),
                *("start", f"--host={LOOPBACK}", f"--port={port}"),
                *([f"--rules={rules}"] if rules else []),
            ],
            log=folder / "firestore-emulator.log",
            cwd=folder,  # it writes a debug log into its working directory
        )


def find_emulators() -> Emulators:
    """Raises SettingsError that says what is missing and how to install it."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise SettingsError("gcloud is not on the PATH: expected the Google Cloud CLI")
    if shutil.which("java") is None:
        raise SettingsError("java is not on the PATH: expected Java 17 or newer")
    sdk = Path(gcloud).resolve().parent.parent
    found = Emulators(sdk / _PUBSUB, sdk / _FIRESTORE)
    for program in (found.pubsub_program, found.firestore_jar):
        if not program.exists():
            raise SettingsError(
                f"{program.name} is not installed: expected it from "
                "`gcloud components install pubsub-emulator cloud-firestore-emulator`"
            )
    return found


def wait_until_listening(children: Sequence[Child], ports: Sequence[int]) -> None:
    """Raises NotReady when one ends or does not listen in time."""
    end = time.monotonic() + LISTEN_SECONDS
    while not all(_listens(port) for port in ports):
        for child in children:
            if child.exit_code() is not None:
                raise NotReady(f"the {child.name} ended; its log is {child.log}")
        if time.monotonic() > end:
            raise NotReady(f"the emulators did not listen within {LISTEN_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
