"""What each service needs of the settings before it may start."""

from importlib.util import find_spec

from shared.errors import SettingsError
from shared.settings import Settings


def check_ingress(settings: Settings) -> None:
    """Raises SettingsError when the ingress must not start with these settings."""
    _need_project(settings)
    if settings.auth == "none":
        _refuse_open_door(settings, "AUTH=none", "AUTH=firebase")
    if "*" in settings.cors_allowed_origins and settings.auth != "none":
        raise SettingsError(
            "CORS_ALLOWED_ORIGINS=*: expected a list of origins where users sign in"
        )


def check_worker(settings: Settings) -> None:
    """Raises SettingsError when the worker must not start with these settings."""
    _need_project(settings)
    check_gemini(settings)
    if not (settings.push_audience and settings.push_service_account):
        _refuse_open_door(
            settings,
            "PUSH_AUDIENCE or PUSH_SERVICE_ACCOUNT is not set",
            "both, as in the push subscription",
        )


def check_gemini(settings: Settings) -> None:
    """Raises SettingsError when GEMINI_SDK names what is not installed."""
    if settings.gemini_sdk == "google-genai" and find_spec("google.genai") is None:
        raise SettingsError(
            "GEMINI_SDK='google-genai': expected it installed, as in requirements-genai.txt"
        )


def check_pull(settings: Settings) -> None:
    """Raises SettingsError when `worker.pull` must not start; nobody can push to it."""
    _need_project(settings)
    check_gemini(settings)


def _need_project(settings: Settings) -> None:
    if not settings.google_cloud_project:
        raise SettingsError("GOOGLE_CLOUD_PROJECT is not set: expected a Google Cloud project id")


def _refuse_open_door(settings: Settings, found: str, expected: str) -> None:
    if settings.on_cloud_run and not settings.allow_unauthenticated:
        raise SettingsError(
            f"{found}: expected {expected} on Cloud Run (or ALLOW_UNAUTHENTICATED=true)"
        )
