"""One run at a time in a data folder: two would push each message twice and call Gemini twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from shared.errors import SettingsError

LOCK_NAME = "run.lock"


@contextmanager
def one_run_in(data_dir: Path) -> Iterator[None]:
    """Hold the folder, which is made where it is missing. Raises SettingsError.

    The kernel ends a lock with the process that holds it, so a crash leaves none behind. Children
    don't inherit it: a worker that outlives a killed run for seconds only finishes or gives back
    what it has claimed, as beside any other worker.
    """
    with _lock_file(data_dir) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"--data-dir {data_dir}: another run is using this folder, stop it or choose "
                "another folder"
            ) from None
        except OSError as error:
            raise SettingsError(
                f"--data-dir {data_dir}: expected a folder on a file system that locks files "
                f"({error.strerror})"
            ) from None
        yield


def _lock_file(data_dir: Path) -> TextIO:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (data_dir / LOCK_NAME).open("w")
    except OSError as error:
        raise SettingsError(
            f"--data-dir {data_dir}: expected a folder that can be written ({error.strerror})"
        ) from None
