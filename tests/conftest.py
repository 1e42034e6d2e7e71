"""What every test shares: no network but loopback, a clean environment, the two backends."""

import os
import random
import socket
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import structlog

from local.sqlite.database import Database, open_database
from local.sqlite.store import SqliteStore
from shared.settings import Settings
from tests.doubles import FakeTime
from tests.support.emulators import GoogleEmulators, need_emulators, running_emulators
from tests.support.recorded_telemetry import Recorded, recording
from tests.support.tables import sections

FRESH = os.environ.setdefault("FRESH_TEST_SEED", str(random.SystemRandom().randrange(2**32)))
"""Workers of pytest-xdist inherit the seed that the report's head names."""
SEED = int(os.environ.get("TEST_SEED", FRESH))


def pytest_report_header() -> str:
    return f"TEST_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = chain.from_iterable(terminalreporter.stats.values())
    ended = (one for one in reports if isinstance(one, pytest.TestReport) and one.when == "call")
    for title, lines in sections(chain.from_iterable(one.user_properties for one in ended)).items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def seeded() -> None:
    random.seed(SEED)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails, instead of passing where there is one."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        assert host in ("127.0.0.1", "::1", "localhost", "unix"), f"connects to {host}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine's own settings do not count, and no `.env` is found."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def fresh_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A logger that is cached on its first use would keep one test's configuration for all that
    follow, out of the reach of `capture_logs`."""
    configure = structlog.configure

    def without_cache(**given: Any) -> None:
        configure(**{**given, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", without_cache)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """What this process traces and measures; without this fixture it is nothing."""
    with recording() as recorded:
        yield recorded


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path / "data")


@pytest.fixture
def store(database: Database, time: FakeTime) -> SqliteStore:
    return SqliteStore(database, clock=time.now)


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleEmulators]:
    """Google's emulators, for real; skipped where they are missing, and never in CI."""
    need_emulators()
    with running_emulators(tmp_path_factory.mktemp("emulators")) as found:
        yield found
