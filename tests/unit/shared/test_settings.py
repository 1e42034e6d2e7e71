"""The settings: defaults, what is refused and in which words, and what production refuses."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from local.run.options import DEFAULTS, local_settings
from shared import settings as settings_module
from shared.errors import SettingsError
from shared.settings import Settings, read_settings
from shared.start_checks import check_gemini, check_ingress, check_pull, check_worker

KEY = "AIza-kanariefagel"
PRODUCTION = {"GOOGLE_CLOUD_PROJECT": "innerjourney"}
PUSH = {"PUSH_AUDIENCE": "https://worker", "PUSH_SERVICE_ACCOUNT": "push@innerjourney"}

UNLESS = "(ALLOW_UNAUTHENTICATED=true lets this pass)"
CHECKS = [check_ingress, check_worker, check_pull]

SetEnvironment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    def set_all(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.fixture
def dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SetEnvironment:
    """Writes a `.env`. What reading it puts into the environment is gone after the test."""

    def write(**variables: str) -> None:
        for name in variables:
            monkeypatch.setenv(name, "registers that it is to be restored")
            monkeypatch.delenv(name)
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (tmp_path / ".env").write_text("".join(lines), encoding="utf-8")

    return write


def refusal(read: Callable[[], object] = read_settings) -> str:
    with pytest.raises(SettingsError) as caught:
        read()
    return str(caught.value)


# Defaults


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", 8080),
        ("web_threads", 32),
        ("log_level", "INFO"),
        ("log_format", "json"),
        ("board", False),
        ("google_cloud_project", None),
        ("firestore_database", "(default)"),
        ("firestore_collection", "activations"),
        ("firestore_emulator_host", None),
        ("pubsub_topic", "activation-requests"),
        ("pubsub_dead_letter_topic", "activation-requests-dead"),
        ("pubsub_subscription", "activation-requests-pull"),
        ("pubsub_emulator_host", None),
        ("lease_seconds", 90),
        ("max_attempts", 5),
        ("activation_deadline_seconds", 300),
        ("activation_ttl_days", 30),
        ("sync_wait_seconds", 30),
        ("gemini_api_key", None),
        ("gemini_api_key_secret", None),
        ("gemini_thinking_level", "low"),
        ("google_genai_use_vertexai", False),
        ("google_cloud_location", None),
        ("gemini_model", "gemini-3.8-flash"),
        ("gemini_fallback_model", "gemini-3.5-flash-lite"),
        ("gemini_api_endpoint", None),
        ("gemini_timeout_seconds", 20),
        ("gemini_max_attempts", 3),
        ("gemini_max_sleep_seconds", 5),
        ("auth", "firebase"),
        ("firebase_project_id", None),
        ("auth_jwks_url", None),
        ("allow_unauthenticated", False),
        ("push_audience", None),
        ("push_service_account", None),
        ("cors_allowed_origins", ()),
        ("daily_limit_per_user", 50),
        ("otel_exporter_otlp_endpoint", None),
    ],
)
def test_the_default_is_the_designs(field: str, value: object) -> None:
    assert getattr(read_settings(), field) == value


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().port = 1  # type: ignore[misc]


def test_an_empty_variable_counts_as_unset(environment: SetEnvironment) -> None:
    environment(LEASE_SECONDS="", GEMINI_API_KEY="", K_SERVICE="", AUTH="")
    assert read_settings() == Settings()


PRO, LITE = "gemini-3-pro", "gemini-3.1-flash-lite"


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        (PRO, LITE, (PRO, LITE)),
        (PRO, "", (PRO,)),  # here empty says: none
        (PRO, PRO, (PRO,)),
        ("", LITE, ("gemini-3.8-flash", LITE)),
    ],
)
def test_an_empty_fallback_model_is_none(
    environment: SetEnvironment, first: str, second: str, asked: tuple[str, ...]
) -> None:
    environment(GEMINI_MODEL=first, GEMINI_FALLBACK_MODEL=second)
    assert read_settings().gemini_models == asked


@pytest.mark.parametrize(
    ("value", "level"), [("", None), ("low", "low"), ("medium", "medium"), ("high", "high")]
)
def test_an_empty_thinking_level_leaves_it_to_the_model(
    environment: SetEnvironment, value: str, level: str | None
) -> None:
    environment(GEMINI_THINKING_LEVEL=value)
    assert read_settings().gemini_thinking_level == level


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-3.7-flash", "gemini-flash-latest"])
def test_a_level_that_the_model_does_not_take_is_refused(
    environment: SetEnvironment, model: str
) -> None:
    environment(GEMINI_MODEL=model, GEMINI_THINKING_LEVEL="minimal")
    assert refusal() == (
        f"GEMINI_THINKING_LEVEL='minimal': expected low, medium or high, as {model} takes no other"
    )


@pytest.mark.parametrize("model", ["gemini-3.5-flash-lite", "gemini-2.5-flash", "gemini-4-flash"])
def test_a_model_that_takes_minimal_thinking_or_may_is_not_refused(
    environment: SetEnvironment, model: str
) -> None:
    environment(GEMINI_MODEL=model, GEMINI_THINKING_LEVEL="minimal")
    assert read_settings().gemini_model == model


# What is refused


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PORT", "0", "greater than or equal to 1"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("PORT", "http", "integer"),
        ("WEB_THREADS", "1", "greater than or equal to 2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "such as http://host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector", "such as http://host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "such as http://host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", "such as http://host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host:99999", "such as http://host:4318"),
        ("GEMINI_API_ENDPOINT", "foo", "such as http://host:4318"),
        ("GEMINI_API_ENDPOINT", "ftp://host", "such as http://host:4318"),
        ("AUTH_JWKS_URL", "foo", "such as http://host:4318"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("AUTH", "basic", "'firebase' or 'none'"),
        ("LEASE_SECONDS", "soon", "number"),
        ("LEASE_SECONDS", "nan", "finite number"),
        ("LEASE_SECONDS", "-1", "greater than 0"),
        ("LEASE_SECONDS", "1e999", "finite number"),
        ("MAX_ATTEMPTS", "0", "greater than or equal to 1"),
        ("ACTIVATION_DEADLINE_SECONDS", "0", "greater than 0"),
        ("ACTIVATION_TTL_DAYS", "0", "greater than or equal to 1"),
        ("SYNC_WAIT_SECONDS", "61", "less than or equal to 60"),
        ("GEMINI_TIMEOUT_SECONDS", "inf", "finite number"),
        ("GEMINI_MAX_ATTEMPTS", "0", "greater than or equal to 1"),
        ("GEMINI_MAX_SLEEP_SECONDS", "-1", "greater than or equal to 0"),
        ("ALLOW_UNAUTHENTICATED", "perhaps", "boolean"),
        ("DAILY_LIMIT_PER_USER", "-1", "greater than or equal to 0"),
        ("DAILY_LIMIT_PER_USER", "10001", "less than or equal to 10000"),
        ("GEMINI_MODEL", "models/gemini-3.8-flash", "such as gemini-3.8-flash, and no path"),
        ("GEMINI_MODEL", "Gemini 3.8 Flash", "such as gemini-3.8-flash"),
        ("GEMINI_MODEL", "gemini-3.8-flash\n", "such as gemini-3.8-flash"),
        ("GEMINI_MODEL", "-", "such as gemini-3.8-flash"),
        ("GEMINI_THINKING_LEVEL", "none", "'minimal', 'low', 'medium' or 'high'"),
        ("GOOGLE_CLOUD_LOCATION", "evil.example/", "match pattern"),
        ("GOOGLE_GENAI_USE_VERTEXAI", "perhaps", "boolean"),
        ("PUBSUB_TOPIC", "a/b", "match pattern"),
        # Its dead-letter subscription is longer by five, and Pub/Sub takes 255.
        ("PUBSUB_SUBSCRIPTION", "a" * 251, "at most 250 characters"),
        ("FIRESTORE_COLLECTION", "x", "at least 3 characters"),
    ],
)
def test_a_bad_value_is_refused_with_variable_value_and_expectation(
    environment: SetEnvironment, variable: str, value: str, expected: str
) -> None:
    environment(**{variable: value})
    said = refusal()
    assert said.startswith(f"{variable}={value!r}: ")
    assert expected in said


def test_several_bad_values_are_one_line_that_names_each(environment: SetEnvironment) -> None:
    environment(PORT="http", AUTH="basic", MAX_ATTEMPTS="0")
    said = refusal()
    assert "\n" not in said
    for part in ("PORT='http': ", "AUTH='basic': ", "MAX_ATTEMPTS='0': "):
        assert part in said


def test_a_value_of_two_lines_is_still_refused_in_one(environment: SetEnvironment) -> None:
    environment(PORT="80\n80")
    assert "\n" not in refusal()


def test_a_bad_value_from_the_env_file_is_named_as_well(dotenv: SetEnvironment) -> None:
    dotenv(PORT="http")
    assert refusal().startswith("PORT='http': ")


def test_a_bad_secret_is_named_without_its_value(environment: SetEnvironment) -> None:
    environment(GEMINI_API_KEY=KEY)
    # No text that an environment can hold is a bad key today, so the value is given directly.
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"gemini_api_key": 20_261_123})
    said = settings_module._one_line(caught.value)
    assert said.startswith("GEMINI_API_KEY=…: ")
    assert KEY not in said
    assert "20261123" not in said


@pytest.mark.parametrize("bad", [KEY, "gemini-api-key", "projects/p/secrets/s", "projects/p"])
def test_what_is_no_name_of_a_secrets_version_is_refused_unseen(
    environment: SetEnvironment, bad: str
) -> None:
    """It may be the key itself, set in the wrong place."""
    environment(GEMINI_API_KEY_SECRET=bad)
    said = refusal()
    assert said.startswith("GEMINI_API_KEY_SECRET=…: ")
    assert bad not in said


@pytest.mark.parametrize("bad", [{"PORT": "http"}, {"LEASE_SECONDS": "10"}])
def test_a_secret_is_not_shown_when_another_value_is_bad(
    environment: SetEnvironment, bad: dict[str, str]
) -> None:
    environment(GEMINI_API_KEY=KEY, **bad)
    assert KEY not in refusal()


def test_a_secret_is_not_shown_when_settings_are_printed(environment: SetEnvironment) -> None:
    environment(GEMINI_API_KEY=KEY)
    assert KEY not in repr(read_settings())


# The lease and Gemini's budget


@pytest.mark.parametrize("lease", ["69", "70"])
def test_a_lease_that_gemini_can_outlast_is_refused(
    environment: SetEnvironment, lease: str
) -> None:
    environment(LEASE_SECONDS=lease)
    assert refusal().startswith(f"LEASE_SECONDS={lease}: expected more than 70")


def test_a_lease_just_above_geminis_budget_is_accepted(environment: SetEnvironment) -> None:
    environment(LEASE_SECONDS="70.5")
    assert read_settings().lease_seconds == 70.5


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 70),
        ({"GEMINI_MAX_ATTEMPTS": "1"}, 20),
        ({"GEMINI_TIMEOUT_SECONDS": "10"}, 40),
        ({"GEMINI_MAX_SLEEP_SECONDS": "0"}, 60),
    ],
)
def test_geminis_budget_is_its_attempts_and_the_pauses_between(
    environment: SetEnvironment, variables: dict[str, str], seconds: float
) -> None:
    environment(**variables)
    assert read_settings().gemini_budget_seconds == seconds


def test_more_gemini_than_the_lease_allows_is_refused(environment: SetEnvironment) -> None:
    environment(GEMINI_MAX_ATTEMPTS="4")
    assert "expected more than 95" in refusal()


# The .env file


def test_an_env_file_is_read(dotenv: SetEnvironment) -> None:
    dotenv(PORT="9000")
    assert read_settings().port == 9000


def test_the_environment_wins_over_the_env_file(
    dotenv: SetEnvironment, environment: SetEnvironment
) -> None:
    dotenv(PORT="9000")
    environment(PORT="9001")
    assert read_settings().port == 9001


def test_a_variable_of_others_in_the_env_file_is_no_error(dotenv: SetEnvironment) -> None:
    dotenv(SOMETHING_ELSE_OF_MINE="1")
    assert read_settings() == Settings()


# Single values


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n", f"{KEY}\r\n", f" {KEY} "])
def test_a_key_loses_the_newline_that_its_file_ends_with(
    environment: SetEnvironment, key: str
) -> None:
    environment(GEMINI_API_KEY=key)
    found = read_settings().gemini_api_key
    assert found is not None
    assert found.get_secret_value() == KEY


@pytest.mark.parametrize("key", ["\n", "\r\n", "  "])
def test_a_key_of_nothing_but_a_newline_is_no_key(environment: SetEnvironment, key: str) -> None:
    environment(GEMINI_API_KEY=key)
    assert read_settings().gemini_api_key is None


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://a.example", ("https://a.example",)),
        ("https://a.example,https://b.example", ("https://a.example", "https://b.example")),
        (" https://a.example , https://b.example, ", ("https://a.example", "https://b.example")),
        ("*", ("*",)),
        (",", ()),
    ],
)
def test_cors_takes_a_list_with_commas(
    environment: SetEnvironment, value: str, origins: tuple[str, ...]
) -> None:
    environment(CORS_ALLOWED_ORIGINS=value)
    assert read_settings().cors_allowed_origins == origins


@pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG"])
def test_the_log_level_is_taken_in_any_case(environment: SetEnvironment, level: str) -> None:
    environment(LOG_LEVEL=level)
    assert read_settings().log_level == "DEBUG"


@pytest.mark.parametrize(
    ("variables", "limit"),
    [
        ({}, 50),
        ({"DAILY_LIMIT_PER_USER": "7"}, 7),
        ({"DAILY_LIMIT_PER_USER": "0"}, 0),
        ({"AUTH": "none"}, 0),
        ({"AUTH": "none", "DAILY_LIMIT_PER_USER": "7"}, 7),
        ({"AUTH": "none", "DAILY_LIMIT_PER_USER": "50"}, 50),
    ],
)
def test_the_daily_limit_counts_without_sign_in_only_where_asked_for(
    environment: SetEnvironment, variables: dict[str, str], limit: int
) -> None:
    environment(**variables)
    assert read_settings().limit("daily_limit_per_user") == limit


@pytest.mark.parametrize("threads", [2, 3, 4, 32, 512])
def test_waiting_always_leaves_threads_free(environment: SetEnvironment, threads: int) -> None:
    environment(WEB_THREADS=str(threads))
    assert 1 <= read_settings().waiting_slots < threads


# What a production service needs and refuses, wherever it runs


@pytest.mark.parametrize("check", CHECKS)
def test_a_service_needs_a_project(check: Callable[[Settings], None]) -> None:
    assert "GOOGLE_CLOUD_PROJECT is not set" in refusal(lambda: check(Settings()))


def test_the_ingress_starts_with_sign_in(environment: SetEnvironment) -> None:
    environment(**PRODUCTION)
    check_ingress(read_settings())


def test_the_worker_starts_with_push_auth(environment: SetEnvironment) -> None:
    environment(**PRODUCTION, **PUSH)
    check_worker(read_settings())


def test_pulling_starts_without_push_auth(environment: SetEnvironment) -> None:
    environment(**PRODUCTION)
    check_pull(read_settings())


UNSAFE = {
    "AUTH": ("none", "AUTH='none': expected 'firebase'"),
    "AUTH_JWKS_URL": (
        "http://keys.example",
        "AUTH_JWKS_URL='http://keys.example': expected Google's keys (unset)",
    ),
    **{
        name: ("localhost:1", f"{name}='localhost:1': expected no emulator")
        for name in (
            *("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"),
            *("FIREBASE_AUTH_EMULATOR_HOST", "ANY_OTHER_EMULATOR_HOST"),
        )
    },
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", UNSAFE)
def test_what_lets_anybody_in_is_refused(
    environment: SetEnvironment, check: Callable[[Settings], None], name: str
) -> None:
    value, sentence = UNSAFE[name]
    environment(**PRODUCTION, **PUSH, **{name: value})
    assert refusal(lambda: check(read_settings())) == f"{sentence} {UNLESS}"


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", UNSAFE)
def test_what_lets_anybody_in_can_be_asked_for(
    environment: SetEnvironment, check: Callable[[Settings], None], name: str
) -> None:
    environment(**PRODUCTION, **PUSH, **{name: UNSAFE[name][0]}, ALLOW_UNAUTHENTICATED="true")
    check(read_settings())


def test_a_worker_without_push_auth_is_refused(environment: SetEnvironment) -> None:
    environment(**PRODUCTION)
    assert refusal(lambda: check_worker(read_settings())) == (
        "PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT are not set: expected both, as in the push "
        f"subscription {UNLESS}"
    )


def test_a_worker_without_push_auth_can_be_asked_for(environment: SetEnvironment) -> None:
    environment(**PRODUCTION, ALLOW_UNAUTHENTICATED="true")
    check_worker(read_settings())


def test_one_line_names_all_that_is_unsafe(environment: SetEnvironment) -> None:
    environment(**PRODUCTION, AUTH="none", PUBSUB_EMULATOR_HOST="localhost:1")
    assert refusal(lambda: check_ingress(read_settings())) == (
        "AUTH='none': expected 'firebase'; PUBSUB_EMULATOR_HOST='localhost:1': expected no "
        f"emulator {UNLESS}"
    )


def test_an_emulator_in_the_env_file_is_refused(
    environment: SetEnvironment, dotenv: SetEnvironment
) -> None:
    dotenv(FIREBASE_AUTH_EMULATOR_HOST="localhost:1")
    environment(**PRODUCTION)
    said = refusal(lambda: check_ingress(read_settings()))
    assert said.startswith("FIREBASE_AUTH_EMULATOR_HOST=")


def test_an_empty_emulator_variable_is_none(environment: SetEnvironment) -> None:
    environment(**PRODUCTION, PUBSUB_EMULATOR_HOST="")
    check_ingress(read_settings())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PUSH_AUDIENCE", "PUSH_AUDIENCE='https://worker', PUSH_SERVICE_ACCOUNT=None"),
        ("PUSH_SERVICE_ACCOUNT", "PUSH_AUDIENCE=None, PUSH_SERVICE_ACCOUNT='push@innerjourney'"),
    ],
)
def test_half_of_push_auth_is_refused_everywhere(
    environment: SetEnvironment, name: str, said: str
) -> None:
    environment(**{name: PUSH[name]}, ALLOW_UNAUTHENTICATED="true")
    assert refusal() == f"{said}: expected both, or neither"


# What a local run relaxes


@pytest.fixture
def restored_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """`local_settings` writes into the environment; afterwards it is as it was."""
    for name in DEFAULTS:
        monkeypatch.setenv(name, "")


@pytest.mark.usefixtures("restored_defaults")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("auth", "none"),
        ("allow_unauthenticated", True),
        ("board", True),
        ("log_format", "console"),
    ],
)
def test_a_local_run_has_by_default(field: str, value: object) -> None:
    assert getattr(local_settings(), field) == value


@pytest.mark.usefixtures("restored_defaults")
def test_a_local_run_keeps_what_is_set(environment: SetEnvironment) -> None:
    environment(LOG_FORMAT="json", BOARD="false")
    settings = local_settings()
    assert (settings.log_format, settings.board) == ("json", False)


def test_emulators_are_welcome_elsewhere(environment: SetEnvironment) -> None:
    environment(PUBSUB_EMULATOR_HOST="localhost:1")
    assert read_settings().pubsub_emulator_host == "localhost:1"


def test_any_origin_is_refused_where_users_sign_in(environment: SetEnvironment) -> None:
    environment(GOOGLE_CLOUD_PROJECT="innerjourney", CORS_ALLOWED_ORIGINS="*")
    assert refusal(lambda: check_ingress(read_settings())).startswith("CORS_ALLOWED_ORIGINS=*: ")


def test_any_origin_is_fine_where_nobody_signs_in(environment: SetEnvironment) -> None:
    environment(**PRODUCTION, CORS_ALLOWED_ORIGINS="*", AUTH="none", ALLOW_UNAUTHENTICATED="true")
    check_ingress(read_settings())


def test_an_sdk_that_is_not_installed_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.genai", None)
    with pytest.raises(SettingsError, match="GEMINI_SDK='google-genai'"):
        check_gemini(Settings(gemini_sdk="google-genai"))
    check_gemini(Settings())


@pytest.mark.parametrize(
    "origins",
    [
        "https://app.example",
        "http://localhost:3000,https://app.example",
        "*",
    ],
)
def test_origins_are_taken(environment: SetEnvironment, origins: str) -> None:
    environment(CORS_ALLOWED_ORIGINS=origins)
    assert read_settings().cors_allowed_origins == tuple(origins.split(","))


@pytest.mark.parametrize(
    "origins",
    ["[", "app.example", "https://app.example/", "https://a.example/path", "https://*.example",
     "https://a.example https://b.example", "null", "ftp://a.example", "https://a.example:port",
     "http://[::1]:3000"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(environment: SetEnvironment, origins: str) -> None:
    environment(CORS_ALLOWED_ORIGINS=origins)
    assert refusal().startswith(f"CORS_ALLOWED_ORIGINS={origins!r}: ")


@pytest.mark.parametrize(
    "name", ["PUBSUB_TOPIC", "PUBSUB_DEAD_LETTER_TOPIC", "PUBSUB_SUBSCRIPTION"]
)
def test_a_name_that_pubsub_reserves_is_refused(environment: SetEnvironment, name: str) -> None:
    environment(**{name: "goog-requests"})
    assert refusal().startswith(f"{name}='goog-requests': ")


def test_one_topic_for_both_is_refused(environment: SetEnvironment) -> None:
    environment(PUBSUB_TOPIC="one", PUBSUB_DEAD_LETTER_TOPIC="one")
    assert refusal().startswith("PUBSUB_TOPIC='one': ")


def test_a_dotenv_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"GEMINI_MODEL=\xe5\n")
    assert refusal() == ".env: expected a file in UTF-8"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://localhost:4318",
        "http://localhost:4318/",
        "https://telemetry.googleapis.com",
        "http://[::1]:4318",
        "https://otlp.example/collect",
    ],
)
def test_a_collectors_address_is_taken(environment: SetEnvironment, endpoint: str) -> None:
    environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert read_settings().otel_exporter_otlp_endpoint == endpoint


@pytest.mark.parametrize("key", ["hemlig\nX-Evil: 1", "hemligåäönyckel", "hem\x00lig"])
def test_a_key_that_no_header_can_carry_does_not_start_and_is_not_shown(
    key: str,
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"gemini_api_key": key})
    said = refused.value.errors()[0]["msg"]
    assert "expected a key of printable ASCII characters" in said
    assert "hem" not in str(refused.value)


VERTEX = {
    "gemini_sdk": "google-genai",
    "google_cloud_project": "innerjourney",
    "google_cloud_location": "eu",
}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"gemini_sdk": "google-generativeai"}, "GEMINI_SDK=google-genai"),
        ({"google_cloud_project": ""}, "GOOGLE_CLOUD_PROJECT"),
        ({"google_cloud_location": ""}, "GOOGLE_CLOUD_LOCATION"),
        (
            {"google_cloud_project": "", "google_cloud_location": ""},
            "GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION",
        ),
    ],
)
def test_vertex_ai_without_all_that_it_needs_does_not_start(
    given: dict[str, str], missing: str
) -> None:
    settings = Settings.model_validate({"google_genai_use_vertexai": True, **VERTEX, **given})
    assert refusal(lambda: check_gemini(settings)) == (
        f"GOOGLE_GENAI_USE_VERTEXAI='true': expected {missing} as well"
    )


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({}, False),
        ({"gemini_api_key": KEY}, True),
        ({"gemini_api_key_secret": "projects/p/secrets/s/versions/1"}, True),
        ({"google_genai_use_vertexai": True}, True),
    ],
)
def test_gemini_is_asked_with_a_key_or_on_vertex_ai(given: dict[str, object], asks: bool) -> None:
    settings = Settings.model_validate(given)
    assert settings.asks_gemini is asks
