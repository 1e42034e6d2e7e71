"""The production composition root of the ingress: `gunicorn 'ingress.main:app()'`.

Always Firestore and Pub/Sub, against the emulators where their variables are set.
"""

from flask import Flask

from ingress.app import create_app
from shared.google.adapters import google_adapters
from shared.settings import read_settings
from shared.start_checks import check_ingress
from shared.telemetry.configure import configure_telemetry
from shared.telemetry.logs import configure_logging


def app() -> Flask:
    """Called by gunicorn in each of its processes, after the fork. Raises SettingsError."""
    settings = read_settings()
    check_ingress(settings)
    configure_logging(
        settings.log_level, json=settings.on_cloud_run, project=settings.google_cloud_project
    )
    telemetry = configure_telemetry(settings, "innerjourney-ingress")
    return telemetry.ends_with(create_app(settings, *google_adapters(settings)))
