"""The Dockerfile: what it may do, and that what it copies is there and nothing else is seen."""

import json

from tests.support.docker import image


def test_every_source_of_copy_exists_and_is_seen_by_docker() -> None:
    seen = image.context()
    for names, _ in image.sources():
        for name in names:
            assert any(path == name or path.startswith(f"{name}/") for path in seen), name


def test_docker_sees_nothing_that_is_not_copied() -> None:
    copied = {name for names, _ in image.sources() for name in names}
    assert {path.split("/")[0] for path in image.context()} == copied


def test_docker_sees_no_secret_no_test_and_no_byte_code() -> None:
    for path in image.context():
        assert ".env" not in path
        assert "__pycache__" not in path
        assert not path.startswith((".git", ".data", "tests", "deploy"))


def test_every_stage_is_the_slim_image_of_one_python() -> None:
    assert {arguments.split()[0] for arguments in image.of("FROM")} == {"python:3.12-slim"}


def test_packages_are_wheels_by_hash_with_nothing_left_to_resolve() -> None:
    [install] = [step for step in image.of("RUN") if "install" in step]
    for flag in ("--no-deps", "--require-hashes", "--only-binary :all:", "--no-cache-dir"):
        assert flag in install


def test_it_runs_as_nobody_in_exec_form() -> None:
    [user] = image.of("USER")
    assert all(int(number) > 1000 for number in user.split(":"))
    [command] = image.of("CMD")
    assert json.loads(command) == ["python", "-m", "ingress"]
