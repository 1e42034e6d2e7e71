"""The same two apps on SQLite: the second composition root, served by gunicorn like the first."""

from pathlib import Path

from flask import Flask

import ingress.app
import worker.app
from local.sqlite.database import open_database
from local.sqlite.queue import SqliteQueue
from local.sqlite.store import SqliteStore
from shared.settings import Settings, read_settings
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.logs import configure_logging
from worker.gemini.key import with_gemini_key
from worker.wiring import build_gemini


def sqlite_adapters(settings: Settings, data_dir: str) -> tuple[SqliteStore, SqliteQueue]:
    database = open_database(Path(data_dir))
    return SqliteStore(database), SqliteQueue(database, settings.pubsub_topic)


def ingress_app(data_dir: str) -> Flask:
    settings = read_settings()
    configure_logging(settings.log_level, json=False)
    telemetry = configure_telemetry(settings, "innerjourney-ingress")
    return telemetry.ends_with(
        ingress.app.create_app(settings, *sqlite_adapters(settings, data_dir))
    )


def worker_app(data_dir: str) -> Flask:
    settings = read_settings()
    configure_logging(settings.log_level, json=False)
    settings = with_gemini_key(settings)
    telemetry = configure_telemetry(settings, "innerjourney-worker")
    store, queue = sqlite_adapters(settings, data_dir)
    return telemetry.ends_with(
        worker.app.create_app(settings, store, queue, build_gemini(settings))
    )
