"""The files in deploy/: every command line is one that s3tui takes, every variable one that it knows, every mount is shared."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from s3tui.cli.main import COMMANDS, build_parser
from s3tui.config.layers import NAMES, environment_layer
from s3tui.config.load import load_settings
from tests.missing import missing

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = ("compose.yaml", "compose.production.yaml")
UNITS = ("s3tui-worker@.service", "s3tui-api.service")
SDK = {"AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}


def services(name: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file that run s3tui."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / name).read_text())["services"]
    return {service: spec for service, spec in found.items() if "s3tui" in spec["image"]}


def unit_of(name: str) -> list[tuple[str, str]]:
    """The settings of a systemd unit, in their order."""
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    return [(key, value) for key, _, value in (line.partition("=") for line in lines if "=" in line and line[0] not in "#[")]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of s3tui, without the program: (where, words)."""
    for name in COMPOSE:
        for service, spec in services(name).items():
            yield f"{name}: {service}", spec["command"]
    for name in UNITS:
        settings = unit_of(name)
        [line] = [value for key, value in settings if key == "ExecStart"]
        for pair in (pair for key, value in settings if key == "Environment" for pair in value.split()):
            variable, _, value = pair.partition("=")
            line = line.replace(f"${{{variable}}}", value)
        program, *words = shlex.split(line)
        assert program == "/opt/s3tui/bin/s3tui"
        yield name, words
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    [command] = re.findall(r"^CMD (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert yaml.safe_load(entry) == ["s3tui"]
    yield "Dockerfile", yaml.safe_load(command)


@pytest.mark.parametrize(("where", "words"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_s3tui_takes_every_command_line(where: str, words: list[str]) -> None:
    assert all(isinstance(word, str) for word in words), "compose wants strings"
    if words[0] not in COMMANDS:
        pytest.skip(f"this version has no `{words[0]}` yet")
    arguments = build_parser(words).parse_args(words)
    assert callable(arguments.run), where


@pytest.mark.parametrize("name", COMPOSE)
def test_every_variable_is_one_that_the_settings_know(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    known = {variable for names in NAMES.values() for variable in names} | SDK
    for service, spec in services(name).items():
        variables = {
            variable: re.sub(r"\$\{(\w+)(:[?-][^}]*)?\}", "", str(value)) for variable, value in spec["environment"].items()
        }
        own = {variable for variable in variables if variable.startswith("S3TUI_") and "__" in variable}
        assert set(variables) - own <= known, f"{service} has variables that nobody reads"
        environment_layer(variables)  # refuses unknown ones of ours
        load_settings(environment=variables)


def test_production_has_no_keys_and_every_server_is_named_outside() -> None:
    text = (DEPLOY / "compose.production.yaml").read_text()
    assert "AWS_ACCESS_KEY_ID" not in text
    assert "AWS_SECRET" not in text
    assert set(services("compose.production.yaml")) == set(yaml.safe_load(text)["services"])
    for variable in ("DATABASE_URL", "RABBITMQ_URL", "AWS_REGION"):
        assert f"${{{variable}:?" in text


@pytest.mark.parametrize("name", COMPOSE)
def test_whoever_works_sees_the_same_files_and_gets_the_time_to_drain(name: str) -> None:
    found = services(name)
    assert {"api", "worker-1", "worker-2"} <= set(found)
    mounts = {service: [str(volume).rpartition(":")[2] for volume in spec["volumes"]] for service, spec in found.items()}
    assert all({"/data", "/staging"} <= set(places) for places in mounts.values())
    for service, spec in found.items():
        words = spec["command"]
        if "--grace" in words:
            grace = float(words[words.index("--grace") + 1])
            number, scale = re.fullmatch(r"(\d+)([sm])", spec["stop_grace_period"]).groups()  # type: ignore[union-attr]
            assert int(number) * {"s": 1, "m": 60}[scale] >= grace + 20, service
        assert spec["restart"] == "on-failure"


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_drains_its_worker_alone_and_starts_it_again_when_it_failed(name: str) -> None:
    settings = dict(unit_of(name))
    assert (settings["KillSignal"], settings["KillMode"], settings["Restart"]) == ("SIGTERM", "mixed", "on-failure")
    assert int(settings["TimeoutStopSec"]) >= 60
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["ProtectSystem"] == "strict"
    assert "ProcSubset" not in settings, "a worker names its machine by what /proc says"


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    program = tmp_path / "s3tui"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / name
    unit.write_text((DEPLOY / "systemd" / name).read_text().replace("/opt/s3tui/bin/s3tui", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_images_have_plain_names() -> None:
    texts = [(DEPLOY / name).read_text() for name in (*COMPOSE, "Dockerfile")]
    images = [image for text in texts for image in re.findall(r"^\s*(?:image:|FROM) (\S+)", text, re.MULTILINE)]
    assert len(images) >= 7
    for image in images:
        assert "." not in image.partition("/")[0].partition(":")[0] or "/" not in image, f"{image} names a host"


def test_the_image_runs_as_an_ordinary_user_and_gets_its_signals() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert "USER s3tui" in lines
    assert "STOPSIGNAL SIGTERM" in lines
    assert lines.index("USER s3tui") < next(number for number, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    copied = {word.rstrip("/") for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]}
    ignored = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((DEPLOY.parent / name).exists() for name in copied)
