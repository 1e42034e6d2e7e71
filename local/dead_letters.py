"""`python -m local.dead_letters list|show|replay|discard`: worker/dead_letters.py on a local run's
database, while it runs or while it does not: the next run then delivers what is replayed.
"""

import argparse
from pathlib import Path

from local.apps import sqlite_adapters
from local.sqlite.database import FILE_NAME
from shared.errors import SettingsError
from shared.settings import read_settings
from shared.start import run
from shared.telemetry.logs import configure_logging
from worker.dead_letters import parser, perform


def main() -> int:
    """The exit code. Raises SettingsError, and StoreUnavailable when the database can't be used."""
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument(
        "--data-dir", type=Path, default=Path(".data"), help="of the local run (.data)"
    )
    wanted = parser("python -m local.dead_letters", folder).parse_args()
    settings = read_settings()
    configure_logging("WARNING", json=False)
    if not (wanted.data_dir / FILE_NAME).is_file():
        raise SettingsError(f"--data-dir {wanted.data_dir}: expected the folder of a local run")
    return perform(wanted, *sqlite_adapters(settings, wanted.data_dir))


if __name__ == "__main__":
    run(main)
