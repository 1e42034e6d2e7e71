"""What each production service needs of the settings before it may start.

Production fails closed wherever it runs: what makes a service open to anybody is refused unless
ALLOW_UNAUTHENTICATED=true, which only `python -m local` and docker-compose.yml set.
"""

import os
from importlib.util import find_spec

from shared.errors import SettingsError
from shared.settings import Settings


def check_ingress(settings: Settings) -> None:
    """Raises SettingsError when the ingress must not start with these settings."""
    check_project(settings)
    _refuse(settings, _unsafe(settings))
    if "*" in settings.cors_allowed_origins and settings.auth != "none":
        raise SettingsError(
            "CORS_ALLOWED_ORIGINS=*: expected a list of origins where users sign in"
        )


def check_worker(settings: Settings) -> None:
    """Raises SettingsError when the worker must not start with these settings."""
    check_project(settings)
    check_gemini(settings)
    unsafe = _unsafe(settings)
    if not settings.push_audience:  # both are set or neither: settings.py
        unsafe.append(
            "PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT are not set: "
            "expected both, as in the push subscription"
        )
    _refuse(settings, unsafe)


def check_pull(settings: Settings) -> None:
    """Raises SettingsError when `worker.pull` must not start; nobody can push to it."""
    check_project(settings)
    check_gemini(settings)
    _refuse(settings, _unsafe(settings))


def check_gemini(settings: Settings) -> None:
    """Raises SettingsError when GEMINI_SDK names what is not installed, or Vertex AI lacks
    something."""
    if settings.gemini_sdk == "google-genai" and find_spec("google.genai") is None:
        raise SettingsError(
            "GEMINI_SDK='google-genai': expected it installed, as in requirements-genai.txt"
        )
    if settings.google_genai_use_vertexai:
        _need_vertex(settings)


def _need_vertex(settings: Settings) -> None:
    wanted = {
        "GEMINI_SDK=google-genai": settings.gemini_sdk == "google-genai",
        "GOOGLE_CLOUD_PROJECT": settings.google_cloud_project,
        "GOOGLE_CLOUD_LOCATION": settings.google_cloud_location,
    }
    missing = [name for name, found in wanted.items() if not found]
    if missing:
        raise SettingsError(
            f"GOOGLE_GENAI_USE_VERTEXAI='true': expected {' and '.join(missing)} as well"
        )


def check_project(settings: Settings) -> None:
    """Raises SettingsError when no Google Cloud project is named."""
    if not settings.google_cloud_project:
        raise SettingsError("GOOGLE_CLOUD_PROJECT is not set: expected a Google Cloud project id")


def _unsafe(settings: Settings) -> list[str]:
    """What lets callers in without a token that Google has signed, one sentence each."""
    found = []
    if settings.auth == "none":
        found.append("AUTH='none': expected 'firebase'")
    if settings.auth_jwks_url:
        # Whoever serves this address decides who signs tokens.
        found.append(f"AUTH_JWKS_URL={settings.auth_jwks_url!r}: expected Google's keys (unset)")
    # An emulator accepts anybody: firebase-admin takes unsigned tokens where its variable is set.
    found += [
        f"{name}={value!r}: expected no emulator"
        for name, value in sorted(os.environ.items())
        if name.endswith("_EMULATOR_HOST") and value
    ]
    return found


def _refuse(settings: Settings, unsafe: list[str]) -> None:
    if unsafe and not settings.allow_unauthenticated:
        raise SettingsError(f"{'; '.join(unsafe)} (ALLOW_UNAUTHENTICATED=true lets this pass)")
