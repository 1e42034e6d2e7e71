"""Wake another process of this machine at once: a named pipe beside the database.

SQLite tells nobody of a commit, and looking for one each 20 ms made every activation 21 ms late and
kept an idle laptop awake. A ring that nobody hears is no error: who listens looks by itself, too.
"""

import os
import select
from contextlib import suppress
from pathlib import Path


class Bell:
    def __init__(self, path: Path) -> None:
        self._path = path

    def ring(self, word: str = "") -> None:
        """Never blocks. `word` is a short one, such as an id."""
        with suppress(OSError):  # nobody listens, or so many rings wait that one more says nothing
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                # At most PIPE_BUF bytes are written whole, or not at all (POSIX, write).
                os.write(pipe, f"{word}\n".encode())
            finally:
                os.close(pipe)

    def listen(self) -> "Listener":
        """One process listens at a time: each ring is heard once."""
        return Listener(self._path)


class Listener:
    def __init__(self, path: Path) -> None:
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # For writing as well: with no writer left, a pipe would be at its end and never wait again.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self, seconds: float) -> list[str]:
        """The words of all rings so far, as soon as there is one; none after `seconds`."""
        if not select.select([self._pipe], [], [], seconds)[0]:
            return []
        return os.read(self._pipe, select.PIPE_BUF * 16).decode().split("\n")[:-1]

    def close(self) -> None:
        os.close(self._pipe)
