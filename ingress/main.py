"""The production composition root of the ingress: `gunicorn 'ingress.main:app()'`.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from flask import Flask

from ingress.app import create_app
from shared.google import google_adapters
from shared.logs import configure_logging
from shared.settings import check_ingress, read_settings


def app() -> Flask:
    """Called by gunicorn in each of its processes, after the fork. Raises SettingsError."""
    settings = read_settings()
    check_ingress(settings)
    configure_logging(settings.log_level, json=settings.on_cloud_run)
    return create_app(settings, *google_adapters(settings))
