"""The Gemini key from Secret Manager, read once at the start where GEMINI_API_KEY_SECRET names it.

A rotated key is read by the next start: docs/operations.md, "Rotate the Gemini key".
"""

from collections.abc import Callable

from google.cloud.secretmanager import SecretManagerServiceClient
from pydantic import SecretStr

from shared.errors import SettingsError
from shared.google.calls import GOOGLE_ERRORS, bounded
from shared.settings import Settings

ATTEMPT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
_BOUNDED = bounded(attempt_seconds=ATTEMPT_SECONDS, total_seconds=TOTAL_SECONDS)


def with_gemini_key(
    settings: Settings,
    connect: Callable[[], SecretManagerServiceClient] = SecretManagerServiceClient,
) -> Settings:
    """The settings with the key from the secret; unchanged if they hold a key or name no secret, or
    if Gemini is asked on Vertex AI, without a key.

    Raises SettingsError, which names the secret and never its value.
    """
    needs_none = settings.gemini_api_key is not None or settings.google_genai_use_vertexai
    if needs_none or settings.gemini_api_key_secret is None:
        return settings
    try:
        answer = connect().access_secret_version(name=settings.gemini_api_key_secret, **_BOUNDED)
    except GOOGLE_ERRORS as error:
        raise _refused(settings, f"a secret that can be read ({type(error).__name__})") from None
    try:
        key = answer.payload.data.decode().strip()
    except UnicodeDecodeError:
        key = ""
    if not key:
        raise _refused(settings, "a secret that holds a key")
    return settings.model_copy(update={"gemini_api_key": SecretStr(key)})


def _refused(settings: Settings, expected: str) -> SettingsError:
    return SettingsError(
        f"GEMINI_API_KEY_SECRET={settings.gemini_api_key_secret!r}: expected {expected}"
    )
