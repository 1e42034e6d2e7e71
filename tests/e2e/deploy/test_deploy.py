"""deploy/deploy.sh: what it would do, in which order, and that again is no error."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.emulators.subscriptions import (
    DEAD_LETTER_SUBSCRIPTION,
    PULLED,
    PUSH_SUBSCRIPTION,
    Delivery,
)
from shared.settings import Settings
from shared.start_checks import check_ingress, check_worker
from tests import ROOT
from tests.support.deployment import (
    DEPLOY,
    NUMBER,
    PROJECT,
    REGION,
    Run,
    deploy,
    with_our_gcloud,
)
from tests.support.docker import image
from tests.support.needs import need_program

ADD = "add-iam-policy-binding"
ALL = ("--alert-email", "a@example.com", "--cors", "https://a.example,https://b.example")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A real run on an empty project."""
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text("k")
    folder = tmp_path_factory.mktemp("first")
    return deploy(folder, "--yes", "--key-file", str(key), *ALL)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same where everything is there."""
    return deploy(tmp_path_factory.mktemp("again"), "--yes", *ALL, there=True)


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A first run for workers that pull."""
    return deploy(tmp_path_factory.mktemp("pulled"), "--yes", "--without-gemini", "--pull")


@pytest.fixture(scope="module")
def pulled_again(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pulled-again")
    return deploy(folder, "--yes", "--without-gemini", "--pull", there=True)


@pytest.fixture(scope="module")
def on_vertex(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A real run on an empty project, without a key."""
    folder = tmp_path_factory.mktemp("vertex")
    return deploy(folder, "--yes", "--vertex", "--location", "europe-west1", *ALL)


def test_it_is_clean_for_shellcheck(tmp_path: Path) -> None:
    checker = need_program("shellcheck")
    scripts = sorted(str(path.relative_to(ROOT)) for path in DEPLOY.parent.glob("*.sh"))
    subprocess.run([checker, "-x", *scripts], cwd=ROOT, check=True)
    printed = tmp_path / "printed.sh"
    for how in ([], ["--pull"]):
        printed.write_text(deploy(tmp_path, "--dry-run", *ALL, *how).said)
        subprocess.run([checker, str(printed)], check=True)


def test_a_dry_run_calls_nothing_and_asks_nothing(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "--dry-run", *ALL)
    assert (ran.exit_code, ran.calls, ran.errors) == (0, [], "")


@pytest.mark.parametrize("pull", [(), ("--pull",)])
@pytest.mark.parametrize("there", [False, True])
def test_the_script_that_a_dry_run_prints_does_what_the_run_itself_does(
    tmp_path: Path, there: bool, pull: tuple[str, ...]
) -> None:
    tag = ("--tag", "t", *pull, *(ALL if there else ("--vertex",)))
    printed = tmp_path / "printed.sh"
    printed.write_text(deploy(tmp_path, "--dry-run", *tag).said)
    from_print = with_our_gcloud(tmp_path, ["bash", str(printed)], there=there)
    assert from_print.exit_code == 0, from_print.errors
    run = deploy(tmp_path, "--yes", *tag, there=there)
    assert from_print.calls == run.calls


def test_a_first_run_ends_well(first: Run) -> None:
    assert first.exit_code == 0, first.errors


def test_a_second_run_makes_nothing_anew(again: Run) -> None:
    assert again.exit_code == 0, again.errors
    made = {" ".join(call[:3]) for call in again.calls if {"create", "submit"} & set(call)}
    # Google answers the first with "already exists", which is no error, and the second is one of
    # Pub/Sub's own accounts.
    assert made == {"firestore indexes composite", "beta services identity"}


def test_a_second_run_updates_whom_alerts_tell_and_the_budget(again: Run) -> None:
    updated = again.called("alpha", "monitoring", "policies", "update")
    assert len(updated) == len(list((ROOT / "deploy" / "alerts").glob("*.json")))
    assert all("--set-notification-channels=found" in call for call in updated)
    assert again.flag("budget-amount", "billing", "budgets", "update") == "50"


def test_a_list_that_fails_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "--yes", "--without-gemini", there=True, LISTS_FAIL="yes")
    assert ran.exit_code != 0
    assert not ran.called("alpha", "monitoring", "policies", "create")


def test_a_new_revision_gets_the_traffic_also_after_a_rollback(again: Run) -> None:
    for service in ("innerjourney-worker", "innerjourney-ingress"):
        [moved] = again.called("run", "services", "update-traffic", service)
        assert "--to-latest" in moved


def test_the_key_file_is_one_of_the_callers_folder_and_read_before_the_first_change(
    tmp_path: Path,
) -> None:
    ran = deploy(tmp_path, "--yes", "--key-file", "nowhere")
    assert (ran.exit_code, ran.calls) == (2, [])
    assert f"{ROOT}/nowhere: expected a file to read" in ran.errors


def test_cloud_build_gets_the_files_of_the_image_and_no_key(tmp_path: Path) -> None:
    gcloud = need_program("gcloud")
    listed = subprocess.run(
        [gcloud, "meta", "list-files-for-upload", "."],
        cwd=ROOT,
        env={**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    sent = set(listed.stdout.split("\n")) - {""}
    assert sent - image.context() == {"Dockerfile", ".dockerignore"}
    assert image.context() <= sent


def test_nothing_is_changed_without_a_word_where_nobody_can_be_asked(tmp_path: Path) -> None:
    ran = deploy(tmp_path)
    assert (ran.exit_code, ran.calls) == (2, [])
    assert ran.errors == "deploy.sh: nobody is here to ask; --yes goes on without asking\n"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--project", PROJECT],
        ["--region", REGION],
        ["--project", "Demo!", "--region", REGION],
        ["--project", PROJECT, "--region", "here"],
        ["--project", PROJECT, "--region", REGION, "--frobnicate"],
        ["--project", PROJECT, "--region", REGION, "--tag"],
    ],
)
def test_a_bad_option_is_one_line_and_changes_nothing(tmp_path: Path, options: list[str]) -> None:
    ran = with_our_gcloud(tmp_path, [str(DEPLOY), *options, "--dry-run"])
    if options[-1:] == ["--tag"]:
        ran = with_our_gcloud(tmp_path, [str(DEPLOY), *options])
    assert (ran.exit_code, ran.said, ran.calls, ran.errors.count("\n")) == (2, "", [], 1)


def test_an_empty_secret_stops_it_before_the_services(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "--yes")
    assert ran.exit_code == 2
    assert "--key-file, or --without-gemini" in ran.errors
    assert not ran.called("run", "deploy")


def test_without_gemini_there_is_no_secret(tmp_path: Path) -> None:
    ran = deploy(tmp_path, "--yes", "--without-gemini")
    assert ran.exit_code == 0
    assert not ran.called("secrets")
    worker = ("run", "deploy", "innerjourney-worker")
    unset = ran.flag("remove-env-vars", *worker).split(",")
    assert {"GEMINI_API_KEY_SECRET", "GOOGLE_GENAI_USE_VERTEXAI"} <= set(unset)
    assert "GEMINI" not in ran.flag("update-env-vars", *worker)


def test_on_vertex_ai_there_is_no_secret_and_only_the_worker_may_ask(on_vertex: Run) -> None:
    assert on_vertex.exit_code == 0, on_vertex.errors
    assert not on_vertex.called("secrets")
    asks = [call for call in on_vertex.calls if "--role=roles/aiplatform.user" in call]
    account = f"--member=serviceAccount:innerjourney-worker@{PROJECT}.iam.gserviceaccount.com"
    assert all(account in call for call in asks)
    assert asks
    assert ["services", "enable", "aiplatform.googleapis.com", f"--project={PROJECT}"] in (
        on_vertex.calls
    )


def test_on_vertex_ai_the_worker_is_told_where_and_loses_its_key(on_vertex: Run) -> None:
    worker = ("run", "deploy", "innerjourney-worker")
    given = on_vertex.flag("update-env-vars", *worker)
    assert "GOOGLE_GENAI_USE_VERTEXAI=true,GOOGLE_CLOUD_LOCATION=europe-west1" in given
    assert on_vertex.flag("remove-env-vars", *worker) == "GEMINI_API_KEY_SECRET"


def test_with_a_key_the_worker_leaves_vertex_ai(first: Run) -> None:
    worker = ("run", "deploy", "innerjourney-worker")
    assert "GOOGLE_GENAI_USE_VERTEXAI" in first.flag("remove-env-vars", *worker)


@pytest.mark.parametrize(
    "options",
    [
        ["--vertex", "--without-gemini"],
        ["--vertex", "--key-file", "k"],
        ["--location", "eu"],
        ["--vertex", "--location", "Europe!"],
    ],
)
def test_what_does_not_go_with_vertex_ai_is_refused(tmp_path: Path, options: list[str]) -> None:
    ran = deploy(tmp_path, "--dry-run", *options)
    assert (ran.exit_code, ran.said, ran.errors.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("which", ["first", "on_vertex"])
def test_every_variable_of_the_services_is_a_setting_that_starts_them(
    which: str, request: pytest.FixtureRequest
) -> None:
    ran: Run = request.getfixturevalue(which)
    checks = {"innerjourney-worker": check_worker, "innerjourney-ingress": check_ingress}
    for service, check in checks.items():
        given = ran.flag("update-env-vars", "run", "deploy", service)
        pairs = given[3:].split(";") if given.startswith("^;^") else given.split(",")
        found = {key.lower(): value for key, value in (pair.split("=", 1) for pair in pairs)}
        assert set(found) <= set(Settings.model_fields)
        settings = Settings.model_validate({**found, "k_service": service})
        check(settings)
        # One instance takes as many requests as it has threads.
        assert ran.flag("concurrency", "run", "deploy", service) == str(settings.web_threads)


def test_both_origins_reach_the_ingress(first: Run) -> None:
    given = first.flag("update-env-vars", "run", "deploy", "innerjourney-ingress")
    assert ";CORS_ALLOWED_ORIGINS=https://a.example,https://b.example" in given


def test_pushes_sweeps_and_the_worker_speak_of_one_audience_and_one_account(first: Run) -> None:
    audience = f"https://innerjourney-worker-{NUMBER}.{REGION}.run.app"
    account = f"innerjourney-invoker@{PROJECT}.iam.gserviceaccount.com"
    for name in (PUSH_SUBSCRIPTION, DEAD_LETTER_SUBSCRIPTION):
        create = ("pubsub", "subscriptions", "create", name)
        assert first.flag("push-auth-token-audience", *create) == audience
        assert first.flag("push-auth-service-account", *create) == account
    sweep = ("scheduler", "jobs", "create", "http")
    assert first.flag("oidc-token-audience", *sweep) == audience
    assert first.flag("oidc-service-account-email", *sweep) == account
    given = first.flag("update-env-vars", "run", "deploy", "innerjourney-worker")
    assert f"PUSH_AUDIENCE={audience},PUSH_SERVICE_ACCOUNT={account}" in given


def test_deliveries_are_those_of_make_emulators(first: Run) -> None:
    delivery = Delivery()
    for name in (PUSH_SUBSCRIPTION, DEAD_LETTER_SUBSCRIPTION):
        create = ("pubsub", "subscriptions", "create", name)
        assert first.flag("ack-deadline", *create) == str(delivery.ack_deadline) == "600"
        assert first.flag("min-retry-delay", *create) == f"{delivery.min_backoff}s"
        assert first.flag("max-retry-delay", *create) == f"{delivery.max_backoff}s"
    requests = ("pubsub", "subscriptions", "create", PUSH_SUBSCRIPTION)
    assert first.flag("max-delivery-attempts", *requests) == str(delivery.max_attempts)


# Workers that pull


def test_for_workers_that_pull_there_is_no_service_no_push_and_no_schedule(pulled: Run) -> None:
    assert pulled.exit_code == 0, pulled.errors
    assert not pulled.called("run", "deploy", "innerjourney-worker")
    assert not pulled.called("scheduler")
    assert "--push-" not in str(pulled.calls)
    assert pulled.called("run", "deploy", "innerjourney-ingress")


def test_the_pull_subscriptions_are_those_that_the_worker_reads_by_default(pulled: Run) -> None:
    settings = Settings()
    created = pulled.called("pubsub", "subscriptions", "create")
    topics = {call[3]: pulled.flag("topic", *call[:4]) for call in created}
    assert topics == {
        settings.pubsub_subscription: settings.pubsub_topic,
        settings.pubsub_dead_letter_subscription: settings.pubsub_dead_letter_topic,
    }


@pytest.mark.parametrize("verb", ["create", "update"])
def test_pulled_deliveries_are_those_of_the_tests_on_the_emulator(
    pulled: Run, pulled_again: Run, verb: str
) -> None:
    ran = pulled if verb == "create" else pulled_again
    settings = Settings()
    requests = ("pubsub", "subscriptions", verb, settings.pubsub_subscription)
    for name in (settings.pubsub_subscription, settings.pubsub_dead_letter_subscription):
        call = ("pubsub", "subscriptions", verb, name)
        assert ran.flag("ack-deadline", *call) == str(PULLED.ack_deadline) == "60"
        assert ran.flag("min-retry-delay", *call) == f"{PULLED.min_backoff}s"
        assert ran.flag("max-retry-delay", *call) == f"{PULLED.max_backoff}s"
    assert ran.flag("dead-letter-topic", *requests) == settings.pubsub_dead_letter_topic
    assert ran.flag("max-delivery-attempts", *requests) == str(PULLED.max_attempts)


def test_a_second_run_for_workers_that_pull_makes_nothing_anew(pulled_again: Run) -> None:
    assert pulled_again.exit_code == 0, pulled_again.errors
    assert not pulled_again.called("pubsub", "subscriptions", "create")


def test_a_worker_that_pulls_may_read_both_subscriptions_and_fetch_its_image(pulled: Run) -> None:
    ours = f"{PROJECT}.iam.gserviceaccount.com"
    worker = f"innerjourney-worker@{ours}"
    agent = f"service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
    pull, dead = Settings().pubsub_subscription, Settings().pubsub_dead_letter_subscription
    assert {
        (call[3], *granted(call)) for call in pulled.called("pubsub", "subscriptions", ADD)
    } == {
        (pull, agent, "pubsub.subscriber"),
        (pull, worker, "pubsub.subscriber"),
        (dead, worker, "pubsub.subscriber"),
    }
    # The invoker gets no right: only pushes and Cloud Scheduler need it.
    assert {granted(call) for call in pulled.calls if ADD in call} == {
        (f"innerjourney-ingress@{ours}", "datastore.user"),
        (f"innerjourney-ingress@{ours}", "pubsub.publisher"),
        (worker, "datastore.user"),
        (worker, "pubsub.publisher"),
        (worker, "pubsub.subscriber"),
        (worker, "artifactregistry.reader"),
        ("allUsers", "run.invoker"),
        (agent, "pubsub.publisher"),
        (agent, "pubsub.subscriber"),
    }


# What is kept, and who may do what


def test_what_a_person_wrote_stays_in_the_queue_for_a_day_at_most(first: Run, pulled: Run) -> None:
    both = (*first.calls, *pulled.calls)
    kept = [call for call in both if call[0] == "pubsub" and call[2] == "create"]
    assert len(kept) == 8
    assert all("--message-retention-duration=1d" in call for call in kept)


def test_each_account_holds_the_roles_that_it_needs_and_no_other(first: Run) -> None:
    ours = f"{PROJECT}.iam.gserviceaccount.com"
    agent = f"service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
    assert {granted(call) for call in first.calls if ADD in call} == {
        (f"innerjourney-ingress@{ours}", "datastore.user"),
        (f"innerjourney-ingress@{ours}", "pubsub.publisher"),
        (f"innerjourney-worker@{ours}", "datastore.user"),
        (f"innerjourney-worker@{ours}", "pubsub.publisher"),
        (f"innerjourney-worker@{ours}", "secretmanager.secretAccessor"),
        (f"innerjourney-invoker@{ours}", "run.invoker"),
        ("allUsers", "run.invoker"),
        (agent, "iam.serviceAccountTokenCreator"),
        (agent, "pubsub.publisher"),
        (agent, "pubsub.subscriber"),
    }


def granted(call: list[str]) -> tuple[str, str]:
    """Who gets which role."""
    [member] = [word for word in call if word.startswith("--member=")]
    [role] = [word for word in call if word.startswith("--role=")]
    return re.split("[:=]", member)[-1], role.split("/")[1]


def test_only_the_ingress_is_public(first: Run) -> None:
    public = [
        call[2] for call in first.called("run", "deploy") if "--allow-unauthenticated" in call
    ]
    private = [call for call in first.called("run", "deploy") if "--no-allow-unauth" in str(call)]
    assert public == ["innerjourney-ingress"]
    assert len(private) == 1


def shape(call: list[str]) -> tuple[str, ...]:
    """The same for commands that differ in plain values alone: 33 exempt a field of an index."""
    flags = [word for word in call if word.startswith("--")]
    return (*call[:3], *sorted(flag if "," in flag else flag.partition("=")[0] for flag in flags))


@pytest.mark.timeout(600)  # gcloud takes most of a second of a processor to start
def test_gcloud_understands_each_kind_of_command(
    first: Run, again: Run, pulled: Run, pulled_again: Run, on_vertex: Run, tmp_path: Path
) -> None:
    """Without an account it parses its arguments first, and refuses an unknown one by name."""
    gcloud = need_program("gcloud")
    runs = (first, again, pulled, pulled_again, on_vertex)
    commands = list({shape(call): call for run in runs for call in run.calls}.values())
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }

    def answer(command: list[str]) -> tuple[list[str], str]:
        done = subprocess.run(
            [gcloud, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return command, done.stderr

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(answer, commands))
    assert len(answers) > 50
    wrong = [pair for pair in answers if "do not currently have an active account" not in pair[1]]
    assert wrong == []
