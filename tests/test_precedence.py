"""Arguments > environment > `.env` > YAML > defaults, for every key there is."""

from __future__ import annotations

import itertools
import json
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from s3tui.config import Loaded, Settings, load_settings
from s3tui.config.settings import effective_value, known_keys

Key = tuple[str, str]
PLACES = ("argument", "environment", ".env", "config.yaml")
"""The strongest first."""

ODD: dict[Key, tuple[Any, ...]] = {
    ("aws", "endpoint_url"): tuple(f"http://{place}.test" for place in "abcd"),
    ("transfer", "part_size"): ("5MiB", "6MiB", "7MiB", "8MiB"),
    ("transfer", "bandwidth"): ("5MB/s", "6MB/s", "7MB/s", "8MB/s"),
    ("video", "ladder"): ("auto", "720", "1080,720", "480"),
    ("webhook", "url"): tuple(f"http://{place}.test" for place in "abcd"),
    ("api", "max_body"): ("5MiB", "6MiB", "7MiB", "8MiB"),
    ("api", "allowed_sources"): (["/a"], ["/b"], ["/c"], ["/d"]),
}
"""Values of keys that do not take just anything of their type."""

IDENTITY = {("aws", "access_key_id"), ("aws", "secret_access_key"), ("aws", "session_token"), ("aws", "profile")}
"""Set together, these keep to the rules of `_keep_one_identity`, which `test_config` has."""


def values_of(key: Key, annotation: Any) -> tuple[Any, ...]:
    """What each place sets: four values that the key takes, different where there are so many."""
    if key in ODD:
        return ODD[key]
    if typing.get_origin(annotation) is typing.Literal:
        return tuple(itertools.islice(itertools.cycle([word for word in typing.get_args(annotation) if word]), 4))
    if typing.get_origin(annotation) is list:
        return (["a"], ["b"], ["c"], ["d"])
    if typing.get_origin(annotation) is dict:
        return ({"a": "1"}, {"b": "2"}, {"c": "3"}, {"d": "4"})
    kinds = {bool: (True, False, True, False), int: (2, 3, 4, 5), float: (2.5, 3.5, 4.5, 5.5)}
    return kinds.get(annotation, ("red", "green", "blue", "black"))


KEYS = {(section, key): values_of((section, key), field.annotation) for section, key, field in known_keys()}


@pytest.fixture(autouse=True, scope="module")
def somewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working directory and a home without any configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        yield


def load(places: Mapping[Key, typing.Collection[int]]) -> Loaded:
    """The settings after each key was set in these places, by their numbers."""
    given: list[dict[Key, Any]] = [
        {key: KEYS[key][place] for key, numbers in places.items() if place in numbers} for place in range(len(PLACES))
    ]
    variables = [{own_name(key): in_variable(value) for key, value in layer.items()} for layer in given]
    Path(".env").write_text("".join(f"{name}='{value}'\n" for name, value in variables[2].items()))
    sections: dict[str, dict[str, Any]] = {}
    for (section, name), value in given[3].items():
        sections.setdefault(section, {})[name] = value
    Path("config.yaml").write_text(yaml.safe_dump(sections))
    arguments = {".".join(key): value for key, value in given[0].items()}
    return load_settings(arguments=arguments, environment=variables[1])


def own_name(key: Key) -> str:
    return f"S3TUI_{key[0]}__{key[1]}".upper()


def in_variable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def plain(loaded: Settings, key: Key) -> Any:
    value = effective_value(loaded, *key)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def hold_true(loaded: Loaded, key: Key, numbers: typing.Collection[int]) -> None:
    """The strongest of the places has set it, and is named; or nobody has."""
    origin = loaded.origin(*key)
    if not numbers:
        assert (plain(loaded.settings, key), origin) == (plain(Settings(), key), "default")
        return
    strongest = min(numbers)
    assert plain(loaded.settings, key) == KEYS[key][strongest]
    assert origin.startswith(PLACES[strongest])
    assert strongest in (0, 3) or own_name(key) in origin


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_every_key_is_set_by_the_strongest_of_the_places_that_name_it(key: Key) -> None:
    for count in range(len(PLACES) + 1):
        for numbers in itertools.combinations(range(len(PLACES)), count):
            hold_true(load({key: numbers}), key, numbers)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({key: st.sets(st.sampled_from(range(len(PLACES)))) for key in KEYS if key not in IDENTITY}))
def test_keys_that_are_set_in_different_places_do_not_touch_each_other(places: dict[Key, set[int]]) -> None:
    loaded = load(places)
    for key, numbers in places.items():
        hold_true(loaded, key, numbers)
