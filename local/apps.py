"""`python -m local.apps ingress|worker`: one service on loopback, since a local run asks nobody who
they are. With `--data-dir` it is on SQLite, the second composition root; else it is production's.
"""

import argparse
from pathlib import Path

from local.sqlite.database import open_database
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.http.server import LOOPBACK, serve
from shared.settings import Settings
from shared.start import begin, run

# What only one service or one backend needs is imported where it is needed: Google's clients alone
# take 25 MiB and 0.2 s.


def sqlite_adapters(settings: Settings, data_dir: Path) -> tuple[SqliteStore, SqliteQueue]:
    database = open_database(data_dir)
    return SqliteStore(database), SqliteQueue(database, settings.pubsub_topic)


def serve_ingress(data_dir: Path) -> int:
    from ingress.app import create_app

    settings, drain = begin("innerjourney-ingress", _is_checked_already)
    app = create_app(settings, *sqlite_adapters(settings, data_dir), drain=drain)
    return serve(app, settings, drain, LOOPBACK)


def serve_worker(data_dir: Path) -> int:
    from worker.app import create_app
    from worker.gemini.key import with_gemini_key
    from worker.wiring import build_gemini

    settings, drain = begin("innerjourney-worker", _is_checked_already)
    settings = with_gemini_key(settings)
    gemini = build_gemini(settings, drain.given_back)
    app = create_app(settings, *sqlite_adapters(settings, data_dir), gemini, drain=drain)
    return serve(app, settings, drain, LOOPBACK)


def serve_production(service: str) -> int:
    if service == "ingress":
        from ingress.main import main
    else:
        from worker.main import main
    return main(LOOPBACK)


def _is_checked_already(_: Settings) -> None:
    """By `python -m local`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.apps")
    parser.add_argument("service", choices=("ingress", "worker"))
    parser.add_argument("--data-dir", type=Path)
    arguments = parser.parse_args()
    if arguments.data_dir is None:
        return serve_production(arguments.service)
    start = serve_ingress if arguments.service == "ingress" else serve_worker
    return start(arguments.data_dir)


if __name__ == "__main__":
    run(main)
