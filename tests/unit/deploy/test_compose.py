"""docker-compose.yml agrees with the code and with itself."""

import inspect
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from local.emulators import set_up, timer
from local.run import emulated
from shared.settings import Settings, read_settings
from shared.start_checks import check_ingress, check_worker
from tests.support.docker.compose import Service, interpolated, services

EMULATOR_IMAGE = "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators"
KNOWN = {name.upper() for name in Settings.model_fields}
ALL = services()
OURS = [service for service in ALL.values() if service.is_ours]


def argument(service: Service, name: str) -> str:
    return service.command[service.command.index(name) + 1]


def test_it_has_the_emulators_the_set_up_the_two_services_and_the_timer() -> None:
    assert set(ALL) == {"firestore", "pubsub", "set-up", "ingress", "worker", "timer"}


@pytest.mark.parametrize("service", OURS, ids=lambda service: service.name)
def test_every_variable_is_a_setting_that_the_code_takes(service: Service) -> None:
    assert set(service.environment) <= KNOWN
    given = {name.lower(): value for name, value in service.environment.items() if value}
    Settings.model_validate(given)


@pytest.mark.parametrize(("name", "check"), [("ingress", check_ingress), ("worker", check_worker)])
def test_a_service_starts_with_them(
    monkeypatch: pytest.MonkeyPatch, name: str, check: Callable[[Settings], None]
) -> None:
    for variable, value in ALL[name].environment.items():
        monkeypatch.setenv(variable, value)
    check(read_settings())


def test_what_it_takes_from_its_caller_is_a_setting_and_optional() -> None:
    assert "GEMINI_API_KEY" in interpolated() <= KNOWN
    assert services({"GEMINI_API_KEY": "k"})["worker"].environment["GEMINI_API_KEY"] == "k"
    assert ALL["worker"].environment["GEMINI_API_KEY"] == ""


def test_compose_keeps_the_fallback_model_unless_an_empty_one_says_none() -> None:
    name = "GEMINI_FALLBACK_MODEL"
    assert ALL["worker"].environment[name] == Settings().gemini_fallback_model
    assert services({name: ""})["worker"].environment[name] == ""


@pytest.mark.parametrize("name", ["firestore", "pubsub"])
def test_both_emulators_are_googles_image_and_listen_where_ours_look(name: str) -> None:
    emulator = ALL[name]
    assert emulator.raw["image"] == EMULATOR_IMAGE
    listens = next(word for word in emulator.command if word.startswith("--host-port="))
    port = listens.removeprefix("--host-port=0.0.0.0:")
    for service in OURS:
        assert service.environment[f"{name.upper()}_EMULATOR_HOST"] == f"{name}:{port}"
    assert urlsplit(emulator.health_command[-1]).port == int(port)


@pytest.mark.parametrize("name", ["ingress", "worker"])
def test_a_services_port_is_the_one_that_it_publishes_on_this_machine_only(name: str) -> None:
    port = ALL[name].environment["PORT"]
    assert ALL[name].raw["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert "/readyz" in ALL[name].health_command[-1]


@pytest.mark.parametrize("name", ["set-up", "timer"])
def test_the_workers_url_is_where_the_worker_listens(name: str) -> None:
    worker = ALL["worker"].environment["PORT"]
    assert argument(ALL[name], "--worker-url") == f"http://worker:{worker}"


def test_the_image_is_built_once_and_never_looked_for_elsewhere() -> None:
    """Four builds of one name at once get in each other's way."""
    assert [service.name for service in OURS if "build" in service.raw] == ["ingress"]
    others = [service for service in OURS if service.name != "ingress"]
    assert {service.raw["pull_policy"] for service in others} == {"never"}


def test_all_speak_of_one_project() -> None:
    projects = {service.environment["GOOGLE_CLOUD_PROJECT"] for service in OURS}
    assert len(projects) == 1
    assert f"--project={projects.pop()}" in ALL["pubsub"].command


def test_the_set_up_subscribes_with_the_code_of_make_emulators() -> None:
    assert ALL["set-up"].command[:3] == ("python", "-m", "local.emulators.set_up")
    for module in (set_up, emulated):
        assert "subscriptions.push_to(" in inspect.getsource(module)
    for module in (timer, emulated):
        assert "keeping_subscribed(subscriptions, worker_url" in inspect.getsource(module)


def test_nothing_starts_before_what_it_needs() -> None:
    def needs(name: str) -> dict[str, str]:
        found: dict[str, dict[str, str]] = ALL[name].raw["depends_on"]
        return {other: how["condition"] for other, how in found.items()}

    assert needs("set-up") == {"pubsub": "service_healthy"}
    for name in ("ingress", "worker"):
        assert needs(name)["set-up"] == "service_completed_successfully"
        assert needs(name)["firestore"] == "service_healthy"
    assert needs("timer") == {"worker": "service_healthy"}


def test_ours_may_write_nowhere_but_tmp_and_hold_no_privilege() -> None:
    for service in OURS:
        assert service.raw["read_only"] is True
        assert service.raw["tmpfs"] == ["/tmp"]  # a mount in the container
        assert service.raw["cap_drop"] == ["ALL"]
