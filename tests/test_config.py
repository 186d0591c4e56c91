"""Settings: which place wins, what is refused and how the refusal reads, and the template against the model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from s3tui.config import Loaded, Settings, config_directory, load_settings
from s3tui.config.settings import effective_value, known_keys
from s3tui.config.template import template_path, write_config
from s3tui.errors import ConfigError

Load = Callable[..., Loaded]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory and a home without any configuration."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def load() -> Load:
    """`load_settings` with a configuration, a `.env` and an environment given as text."""

    def call(config: str = "", dotenv: str = "", environment: Mapping[str, str] | None = None, **arguments: Any) -> Loaded:
        Path("config.yaml").write_text(config)
        Path(".env").write_text(dotenv)
        given = {name.replace("__", "."): value for name, value in arguments.items()}
        return load_settings(arguments=given, environment=environment or {})

    return call


def test_without_any_file_everything_is_at_its_default() -> None:
    loaded = load_settings(environment={})
    assert loaded.settings.model_dump() == Settings().model_dump()
    assert {loaded.origin(section, key) for section, key, _ in known_keys()} == {"default"}


def test_without_any_file_no_reader_of_files_is_loaded() -> None:
    script = """
import sys
from s3tui.config import load_settings
load_settings(environment={"AWS_REGION": "eu-west-1"})
print(sorted({"yaml", "dotenv", "pydantic_settings"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


PLACES = ("arguments", "environment", "dotenv", "config")


@pytest.mark.parametrize("strongest", range(len(PLACES)))
def test_of_all_places_that_set_a_key_the_strongest_wins(load: Load, strongest: int) -> None:
    given: dict[str, dict[str, Any]] = {
        "arguments": {"transfer__concurrency": "11"},
        "environment": {"environment": {"S3TUI_TRANSFER__CONCURRENCY": "12"}},
        "dotenv": {"dotenv": "S3TUI_TRANSFER__CONCURRENCY=13\n"},
        "config": {"config": "transfer:\n  concurrency: 14\n"},
    }
    keywords: dict[str, Any] = {}
    for place in PLACES[strongest:]:
        keywords |= given[place]
    loaded = load(**keywords)
    assert loaded.settings.transfer.concurrency == 11 + strongest
    assert (
        loaded.origin("transfer", "concurrency")
        == (
            "argument",
            "environment S3TUI_TRANSFER__CONCURRENCY",
            ".env:1 S3TUI_TRANSFER__CONCURRENCY",
            "config.yaml:2",
        )[strongest]
    )


@pytest.mark.parametrize(
    ("name", "section", "key"),
    [
        ("AWS_ACCESS_KEY_ID", "aws", "access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "aws", "secret_access_key"),
        ("AWS_SESSION_TOKEN", "aws", "session_token"),
        ("AWS_PROFILE", "aws", "profile"),
        ("AWS_REGION", "aws", "region"),
        ("AWS_DEFAULT_REGION", "aws", "region"),
        ("AWS_ENDPOINT_URL_S3", "aws", "endpoint_url"),
        ("AWS_ENDPOINT_URL", "aws", "endpoint_url"),
        ("AWS_ENDPOINT", "aws", "endpoint_url"),
        ("S3_BUCKET_NAME", "s3", "bucket_name"),
        ("S3_PREFIX", "s3", "prefix"),
        ("DATABASE_URL", "state", "url"),
        ("RABBITMQ_URL", "queue", "url"),
        ("REDIS_URL", "live", "url"),
        ("S3TUI_UI__THEME", "ui", "theme"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "dotenv"])
def test_environment_and_dotenv_understand_the_same_names(load: Load, name: str, section: str, key: str, place: str) -> None:
    value = "http://example.test:9000"
    loaded = load(environment={name: value}) if place == "environment" else load(dotenv=f"{name}={value}\n")
    effective = effective_value(loaded.settings, section, key)
    assert (effective.get_secret_value() if isinstance(effective, SecretStr) else effective) == value
    assert name in loaded.origin(section, key)


@pytest.mark.parametrize(
    ("stronger", "weaker", "section", "key"),
    [
        ("S3TUI_AWS__REGION", "AWS_REGION", "aws", "region"),
        ("AWS_REGION", "AWS_DEFAULT_REGION", "aws", "region"),
        ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "aws", "endpoint_url"),
        ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "aws", "endpoint_url"),
    ],
)
def test_of_two_names_for_one_key_the_more_special_wins(load: Load, stronger: str, weaker: str, section: str, key: str) -> None:
    loaded = load(environment={weaker: "http://weaker.test", stronger: "http://stronger.test"})
    assert effective_value(loaded.settings, section, key) == "http://stronger.test"


def test_an_empty_variable_counts_as_unset(load: Load) -> None:
    loaded = load(config="aws: {region: eu-west-1}", environment={"AWS_REGION": ""})
    assert loaded.settings.aws.region == "eu-west-1"


def test_lists_and_maps_in_variables_are_json(load: Load) -> None:
    loaded = load(environment={"S3TUI_BACKUP__FILE_EXTENSIONS": '["pdf", "jpg"]', "S3TUI_UI__KEYS": '{"quit": "ctrl+q"}'})
    assert loaded.settings.backup.file_extensions == ["pdf", "jpg"]
    assert loaded.settings.ui.keys == {"quit": "ctrl+q"}


def test_a_profile_outranks_the_keys_of_a_weaker_place(load: Load) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"}
    loaded = load(environment=keys, aws__profile="other")
    assert loaded.settings.aws.access_key_id == ""
    assert loaded.settings.aws.profile == "other"


def test_a_session_token_of_a_weaker_place_is_not_sent_with_another_key(load: Load) -> None:
    loaded = load(config="aws: {session_token: stale}", environment={"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK"})
    assert loaded.settings.aws.access_key_id == "AK"
    assert loaded.settings.aws.session_token.get_secret_value() == ""


def test_a_key_id_in_yaml_and_its_secret_in_the_environment_belong_together(load: Load) -> None:
    loaded = load(config="aws: {access_key_id: AK}", environment={"AWS_SECRET_ACCESS_KEY": "SK"})
    assert (loaded.settings.aws.access_key_id, loaded.settings.aws.secret_access_key.get_secret_value()) == ("AK", "SK")


def test_variables_of_dotenv_that_only_the_sdk_reads_are_handed_on(load: Load) -> None:
    loaded = load(dotenv="AWS_CA_BUNDLE=/etc/ca.pem\nhttps_proxy=http://proxy:3128\nOTHER=1\nAWS_REGION=eu-west-1\n")
    assert loaded.sdk_environment == {"AWS_CA_BUNDLE": "/etc/ca.pem", "https_proxy": "http://proxy:3128"}


def test_the_users_configuration_is_read_when_the_directory_has_none() -> None:
    config_directory().mkdir(parents=True)
    (config_directory() / "config.yaml").write_text("ui: {fps: 9}")
    assert load_settings(environment={}).settings.ui.fps == 9
    Path("config.yaml").write_text("ui: {fps: 8}")
    assert load_settings(environment={}).settings.ui.fps == 8


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("transfer:\n  concurrency: [1\n", ["config.yaml, line 3", "not valid YAML"]),
        ("transfer:\n  concurency: 5\n", ["'transfer.concurency'", "line 2", "Did you mean transfer.concurrency?"]),
        ("tranfer: {}\n", ["section 'tranfer'", "line 1", "Did you mean transfer?"]),
        ("ui:\n  fps: 1\n  fps: 2\n", ["line 3", "given twice", "line 2"]),
        ("aws: {}\ns3: {}\naws: {}\n", ["line 3", "'aws' is given twice"]),
        ("transfer: many\n", ["line 1", "transfer: must hold keys and values"]),
        ("- 1\n- 2\n", ["line 1", "the file must hold keys and values"]),
        ("transfer:\n  concurrency: many\n", ["transfer.concurrency", "'many'", "config.yaml:2", "integer"]),
        ("transfer:\n  checksum: md5\n", ["transfer.checksum", "'md5'", "crc64nvme"]),
        ("transfer: {part_size: 1KiB}\n", ["transfer.part_size", "1KiB", "5MiB"]),
        ("logging: {level: LOUD}\n", ["logging.level", "'LOUD'", "'DEBUG'"]),
        ("ui: {fps: 0}\n", ["ui.fps", "greater than or equal to 1"]),
        ("ui:\n  fps: \x00\n", ["line 2", "not valid YAML"]),
        ("? [a, b]\n: 1\n", ["line 1", "plain word"]),
    ],
)
def test_a_mistake_in_yaml_is_one_sentence_that_names_its_place(load: Load, config: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config=config)
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_yaml_that_is_not_utf8_is_refused_with_its_line() -> None:
    Path("config.yaml").write_bytes(b"ui:\n  theme: caf\xe9\n")
    with pytest.raises(ConfigError, match="line 2, is not UTF-8"):
        load_settings(environment={})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"environment": {"S3TUI_TRANSFER__CONCURENCY": "5"}}, ["S3TUI_TRANSFER__CONCURENCY", "s3tui_transfer__concurrency"]),
        ({"environment": {"S3TUI_TRANSFER__CONCURRENCY": "lots"}}, ["transfer.concurrency", "S3TUI_TRANSFER__CONCURRENCY"]),
        ({"environment": {"S3TUI_BACKUP__FILE_EXTENSIONS": "pdf"}}, ["S3TUI_BACKUP__FILE_EXTENSIONS must be JSON"]),
        ({"dotenv": "AWS_REGION=x\nA='open\n"}, [".env, line 2", "NAME=VALUE"]),
        ({"transfer__concurrency": "0"}, ["transfer.concurrency", "(argument)"]),
    ],
)
def test_a_mistake_elsewhere_names_the_variable_or_the_line(load: Load, keywords: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(**keywords)
    for word in words:
        assert word in str(caught.value)


def test_a_wrong_secret_is_not_repeated(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config="aws:\n  secret_access_key: [hunter2]\n")
    assert "hunter2" not in str(caught.value)
    assert "aws.secret_access_key" in str(caught.value)


@pytest.mark.parametrize("keyword", ["config_file", "env_file"])
def test_a_file_that_is_named_must_exist(keyword: str) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.txt.*does not exist"):
        load_settings(environment={}, **{keyword: Path("nowhere.txt")})  # type: ignore[arg-type]


def test_the_template_documents_every_key_with_its_default_and_no_other() -> None:
    template = yaml.safe_load(template_path().read_text())
    defaults = Settings()
    for section, key, _ in known_keys():
        default = effective_value(defaults, section, key)
        empty = (default.get_secret_value() if isinstance(default, SecretStr) else default) == ""
        assert template[section][key] == (None if empty else default), f"{section}.{key}"
    assert {(section, key) for section, keys in template.items() for key in keys} == {(s, k) for s, k, _ in known_keys()}


def test_every_key_of_the_template_has_a_comment_above_it() -> None:
    lines = template_path().read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if line.startswith("  ") and not line.lstrip().startswith("#")]
    assert len(keys) == len(list(known_keys()))
    assert [lines[number] for number in keys if not lines[number - 1].startswith("  # ")] == []


def test_the_template_is_a_valid_configuration_as_it_is() -> None:
    write_config(Path("config.yaml"))
    assert load_settings(environment={}).settings.model_dump() == Settings().model_dump()


def test_a_written_configuration_is_private_and_never_overwritten_unless_forced() -> None:
    path = Path("config.yaml")
    write_config(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("ui: {fps: 7}\n")
    with pytest.raises(ConfigError, match="exists already"):
        write_config(path)
    assert path.read_text() == "ui: {fps: 7}\n"
    write_config(path, force=True)
    assert path.read_bytes() == template_path().read_bytes()


def test_settings_made_in_code_do_not_look_at_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TRANSFER", '{"concurrency": 7}')
    monkeypatch.setitem(os.environ, "AWS_REGION", "eu-west-1")
    assert Settings().transfer.concurrency == 100
    assert Settings().aws.region == "us-east-1"
