"""Commits that are flushed together."""

import errno
import threading
from pathlib import Path

import pytest

from local.sqlite.flush import WalFlush
from tests.support.eventually import eventually


class Disk:
    """Flushes as soon as it is let."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.goes_on = threading.Semaphore(0)
        self.flushes = 0
        self.refuses = False

    def flush(self, _: int) -> None:
        self.flushes += 1
        self.begun.release()
        assert self.goes_on.acquire(timeout=20)
        if self.refuses:
            raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr("local.sqlite.flush.flush_file", disk.flush)
    return disk


def waiting(flush: WalFlush) -> threading.Thread:
    thread = threading.Thread(target=flush.wait)
    thread.start()
    return thread


@pytest.fixture
def flush(tmp_path: Path) -> WalFlush:
    (tmp_path / "wal").touch()
    return WalFlush(tmp_path / "wal")


def test_all_who_come_during_a_flush_share_the_next_one(flush: WalFlush, disk: Disk) -> None:
    threads = [waiting(flush)]
    assert disk.begun.acquire(timeout=20)
    threads += [waiting(flush) for _ in range(5)]
    eventually(lambda: flush.asked == 6)
    disk.goes_on.release()
    disk.goes_on.release()
    for thread in threads:
        thread.join(20)
    assert disk.flushes == 2


def test_one_who_comes_during_a_flush_waits_for_the_next_one(flush: WalFlush, disk: Disk) -> None:
    """The first one may have begun before this commit."""
    first = waiting(flush)
    assert disk.begun.acquire(timeout=20)
    second = waiting(flush)
    eventually(lambda: flush.asked == 2)
    disk.goes_on.release()
    assert disk.begun.acquire(timeout=20)
    assert second.is_alive()
    disk.goes_on.release()
    for thread in (first, second):
        thread.join(20)


def test_what_the_disk_refused_is_refused_to_all_who_waited_for_it(
    flush: WalFlush, disk: Disk
) -> None:
    """After an error Linux lets the next flush succeed, without the bytes that were lost."""
    refused: list[OSError] = []

    def wait() -> None:
        try:
            flush.wait()
        except OSError as error:
            refused.append(error)

    threads = [waiting(flush)]
    assert disk.begun.acquire(timeout=20)
    threads += [threading.Thread(target=wait) for _ in range(2)]
    for thread in threads[1:]:
        thread.start()
    eventually(lambda: flush.asked == 3)
    disk.goes_on.release()
    assert disk.begun.acquire(timeout=20)
    disk.refuses = True
    disk.goes_on.release()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 2
    assert disk.flushes == 2
