"""Bring what is committed to the disk, once for all threads that wait for it.

SQLite's own durable commit (`synchronous=FULL`) flushes while it holds the lock on writes: nobody
claims, leases or acks meanwhile, and each accept waits for the flushes of all before it.
"""

import errno
import os
import threading
from pathlib import Path

# SQLite, too, uses fdatasync where there is one; macOS has none.
flush_file = getattr(os, "fdatasync", os.fsync)


class WalFlush:
    """Of the write-ahead log. What has left it for the database was flushed there by SQLite before,
    also with `synchronous=NORMAL` (page: Write-Ahead Logging, "Performance Considerations")."""

    def __init__(self, wal: Path) -> None:
        self._wal = wal
        self.asked = 0
        """How many waits there were: the number of the latest."""
        self._flushed = self._refused = 0
        self._numbering = threading.Lock()
        self._flushing = threading.Lock()

    def wait(self) -> None:
        """Until all that this thread has committed is on the disk. Raises OSError."""
        with self._numbering:
            self.asked += 1
            number = self.asked
        with self._flushing:
            if number <= self._refused:
                raise OSError(errno.EIO, "the disk refused it")
            if number > self._flushed:  # else one that began after our commit has just ended
                self._flush_all()

    def _flush_all(self) -> None:
        up_to = self.asked
        # SQLite holds no lock on this file that closing it would end.
        log = os.open(self._wal, os.O_RDONLY)
        try:
            flush_file(log)
        except OSError:
            # For all of them: Linux says so once, and the next flush succeeds without their bytes.
            self._refused = up_to
            raise
        finally:
            os.close(log)
        self._flushed = up_to
