"""The image and the compose file, as far as they can be judged where no engine runs: by the official schema, by the
parser of Dockerfiles, and by what we promise of them."""

import re
import subprocess
import sys
from pathlib import Path

import dockerfile
import pytest
from django.core.management import get_commands
from ruamel.yaml import YAML

from socialhub.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "social-hub" in each["image"]}
IMAGE = dockerfile.parse_file(str(ROOT / "Dockerfile"))


def test_the_compose_file_keeps_to_the_official_schema():
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_image_makes_every_process_of_ours():
    assert set(OURS) == {"migrate", "web", "worker", "beat"}
    assert len({each["image"] for each in OURS.values()}) == 1


def test_only_the_web_is_reached_from_outside_and_by_default_from_this_machine():
    assert {name: each.get("ports") for name, each in SERVICES.items() if each.get("ports")} == {
        "web": ["${BIND:-127.0.0.1}:${PORT:-8000}:8000"]
    }
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("db", "redis"))


@pytest.mark.parametrize("name", OURS)
def test_ours_write_nowhere_and_may_nothing(name):
    service = OURS[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"] and service["tmpfs"] == ["/tmp"]
    assert service["restart"].startswith("on-failure" if name == "migrate" else "unless-stopped")


def test_everybody_waits_for_what_they_need():
    def waits(name):
        return {other: told["condition"] for other, told in SERVICES[name]["depends_on"].items()}

    assert waits("migrate") == {"db": "service_healthy"}
    for name in ("web", "worker", "beat"):
        assert waits(name) == {"migrate": "service_completed_successfully", "redis": "service_healthy"}
    assert all("healthcheck" in SERVICES[name] for name in ("db", "redis", "worker", "beat"))  # web: the image's own


def test_secrets_are_files_and_every_setting_is_one_that_is_read():
    known = {option.name for option in OPTIONS} | {f"{option.name}_FILE" for option in OPTIONS if option.secret}
    given = OURS["web"]["environment"]
    assert set(given) - {"WEB_CONCURRENCY"} <= known
    assert {"DATABASE_URL_FILE", "SECRET_KEY_FILE", "CREDENTIAL_KEYS_FILE"} <= set(given)
    files = {f"/run/secrets/{name}" for name in OURS["web"]["secrets"]}
    assert {value for name, value in given.items() if name.endswith("_FILE")} <= files
    assert set(OURS["web"]["secrets"]) | {"database_password"} == set(COMPOSE["secrets"])
    assert given["DEMO"] == "0"


def test_the_database_reads_letters_as_the_embedded_one_does():
    words = (ROOT / "socialhub/embedded/postgres.py").read_text()
    for word in SERVICES["db"]["environment"]["POSTGRES_INITDB_ARGS"].split():
        assert word.split("=")[-1] in words, word


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret():
    said = [(line.cmd.upper(), " ".join(line.value)) for line in IMAGE]
    assert [value for cmd, value in said if cmd == "USER"] == ["10001"]
    assert all(value.startswith("python:3.11-slim") for cmd, value in said if cmd == "FROM")
    told = " ".join(value for cmd, value in said if cmd in ("ARG", "ENV"))
    assert not re.search("SECRET|KEYS|PASSWORD|TOKEN", told)
    assert any("socialhub.embedded.ask" in value for cmd, value in said if cmd == "HEALTHCHECK")
    assert said[-1][0] == "CMD" and "socialhub.asgi:application" in said[-1][1]


def test_what_it_copies_is_the_code_and_nothing_else():
    kept = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in kept
    let_in = {line[1:] for line in kept if line.startswith("!")}
    assert {"departments", "connectors", "inbox", "routing", "socialhub", "static", "templates", "manage.py"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert not let_in & {".git", ".data", ".venv", "tests", "secrets", ".env"}


def test_each_command_that_it_calls_exists():
    assert OURS["migrate"]["command"] == ["python", "manage.py", "prepare"] and "prepare" in get_commands()
