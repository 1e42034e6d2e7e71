"""The production composition root of the worker: `gunicorn 'worker.main:app()'`.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from flask import Flask

from shared.google import google_adapters
from shared.logs import configure_logging
from shared.settings import check_worker, read_settings
from worker.app import create_app
from worker.gemini_key import with_gemini_key
from worker.services import build_generator


def app() -> Flask:
    """Called by gunicorn in each of its processes, after the fork. Raises SettingsError."""
    settings = read_settings()
    check_worker(settings)
    configure_logging(settings.log_level, json=settings.on_cloud_run)
    settings = with_gemini_key(settings)
    return create_app(settings, *google_adapters(settings), build_generator(settings))
