"""The command line of `python -m local`, and the environment that a local run starts from."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local.emulators.programs import FIRESTORE_PORT, PUBSUB_PORT
from shared.errors import SettingsError
from shared.settings import Settings, load_environment_file, read_settings
from shared.start_checks import check_gemini

ROOT = Path(__file__).resolve().parents[2]
LOCAL_PROJECT = "innerjourney-local"

FRONTENDS = ",".join(
    f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 5173, 4173)
)
"""Where React's and Vite's own servers listen: a frontend next door works without a setting."""

DEFAULTS = {
    "AUTH": "none",
    "ALLOW_UNAUTHENTICATED": "true",
    "BOARD": "true",
    "CORS_ALLOWED_ORIGINS": FRONTENDS,
    "GOOGLE_CLOUD_PROJECT": LOCAL_PROJECT,
    "LOG_FORMAT": "console",
}
"""Of a local run, where production's differ: it listens on loopback only."""


@dataclass(frozen=True, kw_only=True)
class Options:
    port: int
    worker_port: int
    data_dir: Path
    emulators: bool
    pubsub_port: int = PUBSUB_PORT
    firestore_port: int = FIRESTORE_PORT


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other bad setting; argparse would print the usage before it."""
        raise SettingsError(message)


def parse_options() -> Options:
    """Raises SettingsError when they are malformed."""
    parser = _Parser(prog="python -m local", description="Run the whole pipeline on this machine.")
    parser.add_argument("--port", type=_port, default=8080, help="of the ingress (8080)")
    parser.add_argument("--worker-port", type=_port, default=8081, help="of the worker (8081)")
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".data"), help="where SQLite and logs live (.data)"
    )
    parser.add_argument(
        "--emulators", action="store_true", help="Google's emulators instead of SQLite"
    )
    parser.add_argument("--pubsub-port", type=_port, default=PUBSUB_PORT, help="its emulator's")
    parser.add_argument("--firestore-port", type=_port, default=FIRESTORE_PORT, help="likewise")
    found = parser.parse_args()
    ports = (found.port, found.worker_port, found.pubsub_port, found.firestore_port)
    if len(set(ports)) != len(ports):
        parser.error(f"ports {', '.join(map(str, ports))}: expected different ones")
    return Options(
        port=found.port,
        worker_port=found.worker_port,
        data_dir=found.data_dir.resolve(),
        emulators=found.emulators,
        pubsub_port=found.pubsub_port,
        firestore_port=found.firestore_port,
    )


def local_settings() -> Settings:
    """The settings, with the DEFAULTS of a local run where none is given. Raises SettingsError.

    The defaults go into the environment, which the children inherit.
    """
    load_environment_file()
    # A blank line of a .env template is no value.
    for name, value in DEFAULTS.items():
        os.environ[name] = os.environ.get(name) or value
    settings = read_settings()
    check_gemini(settings)
    return settings


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port, 1 to 65535")
    return int(text)
