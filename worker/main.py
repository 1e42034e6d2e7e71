"""The production composition root of the worker: `gunicorn 'worker.main:app()'`.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from flask import Flask

from shared.google.adapters import google_adapters
from shared.settings import read_settings
from shared.start_checks import check_worker
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.logs import configure_logging
from worker.app import create_app
from worker.gemini.key import with_gemini_key
from worker.wiring import build_gemini


def app() -> Flask:
    """Called by gunicorn in each of its processes, after the fork. Raises SettingsError."""
    settings = read_settings()
    check_worker(settings)
    configure_logging(
        settings.log_level, json=settings.on_cloud_run, project=settings.google_cloud_project
    )
    settings = with_gemini_key(settings)
    telemetry = configure_telemetry(settings, "innerjourney-worker")
    gemini = build_gemini(settings)
    return telemetry.ends_with(create_app(settings, *google_adapters(settings), gemini))
