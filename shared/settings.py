"""Every setting, one frozen class, one reader: `read_settings`.

A bad value stops the start with one line that names the variable, the value (never a secret's) and
what is expected. What only one service needs is checked in start_checks.py.
"""

import os
import re
from typing import Annotated, Any, Literal

from dotenv import load_dotenv
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import SettingsError
from shared.gemini_models import Location, ModelName, ThinkingLevel, takes_level

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Name = Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[A-Za-z][A-Za-z0-9._~+%-]+$")]
_NONE_IF_EMPTY = frozenset({"gemini_fallback_model", "gemini_thinking_level"})
"""Empty means something here. Any other empty variable counts as unset."""

_SECRET_VERSION = re.compile(r"projects/[^/\s]+/secrets/[^/\s]+/versions/[^/\s]+")

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
"""As a browser sends it (RFC 6454): scheme, host, and a port that is not the scheme's own. No IPv6
literal: its brackets, too, would be a regular expression to flask-cors."""

_ENDPOINT = re.compile(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:\d{1,5})?(/[^\s?#]*)?"
)

ACK_DEADLINE_SECONDS = 600
"""Of our push subscriptions, and the longest that Pub/Sub has (page: Subscription properties).
It is also how long a push may take."""


class Settings(BaseSettings):
    """The environment, validated. Times are in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    port: Port = 8080
    web_threads: int = Field(default=32, ge=2, le=512)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    k_service: str | None = None
    k_revision: str | None = None
    otel_exporter_otlp_endpoint: str | None = None

    google_cloud_project: str | None = None
    google_cloud_location: Location | None = None
    firestore_database: str = "(default)"
    firestore_collection: Name = "activations"
    firestore_emulator_host: str | None = None
    pubsub_topic: Name = "activation-requests"
    pubsub_dead_letter_topic: Name = "activation-requests-dead"
    pubsub_subscription: Annotated[Name, Field(max_length=250)] = "activation-requests-pull"
    pubsub_emulator_host: str | None = None

    lease_seconds: Seconds = 90
    max_attempts: int = Field(default=5, ge=1, le=100)
    activation_deadline_seconds: Seconds = 300
    activation_ttl_days: int = Field(default=30, ge=1, le=3650)
    sync_wait_seconds: float = Field(default=30, ge=0, le=60, allow_inf_nan=False)

    gemini_api_key: SecretStr | None = None
    gemini_api_key_secret: str | None = None
    gemini_sdk: Literal["google-generativeai", "google-genai"] = "google-generativeai"
    google_genai_use_vertexai: bool = False
    gemini_model: ModelName = "gemini-3.8-flash"
    gemini_fallback_model: ModelName | None = "gemini-3.5-flash-lite"
    gemini_thinking_level: ThinkingLevel | None = "low"
    gemini_api_endpoint: str | None = None
    gemini_timeout_seconds: Seconds = 20
    gemini_max_attempts: int = Field(default=3, ge=1, le=10)
    gemini_max_sleep_seconds: float = Field(default=5, ge=0, le=60, allow_inf_nan=False)

    gemini_breaker_failures: int = Field(default=5, ge=1, le=1000)
    gemini_breaker_seconds: Seconds = 30

    auth: Literal["firebase", "none"] = "firebase"
    firebase_project_id: str | None = None
    auth_jwks_url: str | None = None
    allow_unauthenticated: bool = False
    push_audience: str | None = None
    push_service_account: str | None = None
    cors_allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    # A counter holds a time for each; with more it might not fit into Firestore's 1 MiB.
    daily_limit_per_user: int = Field(default=50, ge=0, le=10_000)
    burst_limit_per_user: int = Field(default=60, ge=0)
    burst_limit_per_address: int = Field(default=600, ge=0)
    board: bool = False

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if value == "" else value
            for name, value in given.items()
            if value != "" or name in _NONE_IF_EMPTY
        }

    @field_validator("cors_allowed_origins", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

    @field_validator("cors_allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Nothing else: flask-cors would read what looks like one as a regular expression."""
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"expected origins such as https://app.example, not {origin!r}")
        return origins

    @field_validator("pubsub_topic", "pubsub_dead_letter_topic", "pubsub_subscription")
    @classmethod
    def _not_googles(cls, name: str) -> str:
        if name.startswith("goog"):
            raise ValueError("expected a name that does not begin with goog (Pub/Sub reserves it)")
        return name

    @field_validator("gemini_api_key", mode="before")
    @classmethod
    def _fits_into_a_header(cls, value: Any) -> Any:
        key = value.strip() if isinstance(value, str) else value  # files end with a newline
        if isinstance(key, str) and not (key.isascii() and key.isprintable()):
            raise ValueError("expected a key of printable ASCII characters")
        return key or None

    @field_validator("gemini_api_key_secret")
    @classmethod
    def _is_a_version_of_a_secret(cls, name: str | None) -> str | None:
        if name is not None and not _SECRET_VERSION.fullmatch(name):
            raise ValueError("expected projects/…/secrets/…/versions/latest (or a number)")
        return name

    @field_validator("otel_exporter_otlp_endpoint", "gemini_api_endpoint", "auth_jwks_url")
    @classmethod
    def _is_an_address(cls, endpoint: str | None) -> str | None:
        address = _ENDPOINT.fullmatch(endpoint or "http://unset")
        if address is None or int((address["port"] or ":80")[1:]) > 65_535:
            raise ValueError("expected an address such as http://host:4318")
        return endpoint

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _topics_differ(self) -> "Settings":
        if self.pubsub_topic == self.pubsub_dead_letter_topic:
            raise ValueError(
                f"PUBSUB_TOPIC={self.pubsub_topic!r}: expected another than the dead-letter topic"
            )
        return self

    @model_validator(mode="after")
    def _push_auth_is_whole(self) -> "Settings":
        if bool(self.push_audience) != bool(self.push_service_account):
            raise ValueError(
                f"PUSH_AUDIENCE={self.push_audience!r}, PUSH_SERVICE_ACCOUNT="
                f"{self.push_service_account!r}: expected both, or neither"
            )
        return self

    @model_validator(mode="after")
    def _ack_deadline_outlives_lease(self) -> "Settings":
        if self.lease_seconds >= ACK_DEADLINE_SECONDS:
            raise ValueError(
                f"LEASE_SECONDS={self.lease_seconds:g}: expected less than the ack deadline of the "
                f"push subscription, {ACK_DEADLINE_SECONDS}"
            )
        return self

    @model_validator(mode="after")
    def _lease_outlives_gemini(self) -> "Settings":
        if self.lease_seconds <= self.gemini_budget_seconds:
            raise ValueError(
                f"LEASE_SECONDS={self.lease_seconds:g}: expected more than "
                f"{self.gemini_budget_seconds:g}, which is GEMINI_MAX_ATTEMPTS × "
                "GEMINI_TIMEOUT_SECONDS and the pauses between, GEMINI_MAX_SLEEP_SECONDS each"
            )
        return self

    @model_validator(mode="after")
    def _models_take_the_level(self) -> "Settings":
        for model in self.gemini_models:
            if not takes_level(model, self.gemini_thinking_level):
                raise ValueError(
                    f"GEMINI_THINKING_LEVEL={self.gemini_thinking_level!r}: expected low, medium "
                    f"or high, as {model} takes no other"
                )
        return self

    @property
    def asks_gemini(self) -> bool:
        """Whether there is anything to ask it with; otherwise the library answers everything."""
        keys = (self.gemini_api_key, self.gemini_api_key_secret)
        return self.google_genai_use_vertexai or any(key is not None for key in keys)

    @property
    def pubsub_dead_letter_subscription(self) -> str:
        """Named by convention, and deploy/pull.sh creates it under this name."""
        return f"{self.pubsub_subscription}-dead"

    @property
    def gemini_models(self) -> tuple[str, ...]:
        """In the order in which they are asked."""
        return tuple(dict.fromkeys(filter(None, (self.gemini_model, self.gemini_fallback_model))))

    @property
    def gemini_budget_seconds(self) -> float:
        """The longest that one claim may spend on Gemini: attempts and the pauses between them."""
        pauses = (self.gemini_max_attempts - 1) * self.gemini_max_sleep_seconds
        return self.gemini_max_attempts * self.gemini_timeout_seconds + pauses

    @property
    def waiting_slots(self) -> int:
        """Requests that may wait at once; a quarter of the threads always stays free."""
        return max(1, self.web_threads - max(1, self.web_threads // 4))

    @property
    def waiting_share(self) -> int:
        """Of these, one user's; with AUTH=none everybody is one user."""
        return self.waiting_slots if self.auth == "none" else max(1, self.waiting_slots // 4)

    def limit(
        self,
        name: Literal["daily_limit_per_user", "burst_limit_per_user", "burst_limit_per_address"],
    ) -> int:
        """0 is off. With AUTH=none everybody is the user `local` at one address, so only a limit
        that was asked for counts there."""
        counts = name in self.model_fields_set or self.auth != "none"
        return int(getattr(self, name)) if counts else 0

    @property
    def logs_json(self) -> bool:
        return self.log_format == "json"

    @property
    def on_cloud_run(self) -> bool:
        """Cloud Run sets K_SERVICE (its container runtime contract).

        Only facts about its front end hang on this: it terminates TLS, and it appends the address
        that it saw to X-Forwarded-For. What is allowed is the same wherever a service runs
        (start_checks.py).
        """
        return self.k_service is not None


def load_environment_file() -> None:
    """`.env` into the environment, which wins. Raises SettingsError when it is not UTF-8."""
    try:
        load_dotenv(".env", override=False)
    except UnicodeDecodeError:
        raise SettingsError(".env: expected a file in UTF-8") from None


def read_settings() -> Settings:
    """The settings, from the environment and a `.env` file; the environment wins.

    The file is loaded into the process' environment because Google's libraries read theirs
    (GOOGLE_APPLICATION_CREDENTIALS, the emulator hosts) from nowhere else.
    Raises SettingsError.
    """
    load_environment_file()
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    return "; ".join(_sentence(dict(detail)) for detail in error.errors(include_url=False))


def _sentence(detail: dict[str, Any]) -> str:
    said = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return said
    field = str(detail["loc"][0])
    shown = "…" if _is_secret(field) else repr(os.environ.get(field.upper(), detail.get("input")))
    return f"{field.upper()}={shown}: {said[:1].lower()}{said[1:]}"


def _is_secret(field: str) -> bool:
    """Or may be one by mistake: the key itself, where its secret's name belongs."""
    return field == "gemini_api_key_secret" or SecretStr in getattr(
        Settings.model_fields[field].annotation, "__args__", ()
    )
