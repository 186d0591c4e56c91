"""One setting written into a configuration: nothing else in it changes, least of all a comment."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.config import load_settings
from s3tui.config.keeping import keep_setting, with_setting
from s3tui.config.template import template_path
from s3tui.errors import ConfigError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "ui:\n  fps: 8\n"),
        ("# only this\n", "# only this\n\nui:\n  fps: 8\n"),
        ("s3: {prefix: a/}", "s3: {prefix: a/}\n\nui:\n  fps: 8\n"),
        ("ui:\n  fps: 4   # slow line\n", "ui:\n  fps: 8   # slow line\n"),
        ("ui:\n  fps:   # as it comes\n", "ui:\n  fps: 8   # as it comes\n"),
        ("ui:\n  fps: '4'\n", "ui:\n  fps: 8\n"),
        ("ui:  # mine\n    # calm\n    theme: fog\n", "ui:  # mine\n    fps: 8\n    # calm\n    theme: fog\n"),
        ("ui:\ns3: {}\n", "ui:\n  fps: 8\ns3: {}\n"),
        ("ui:", "ui:\n  fps: 8\n"),
        ("ui: {theme: fog}  # one line\n", "ui: {fps: 8, theme: fog}  # one line\n"),
        ("ui: {fps: 4, theme: fog}\n", "ui: {fps: 8, theme: fog}\n"),
        ("ui: {}\n", "ui: {fps: 8}\n"),
        ("ui:\r\n  theme: fog\r\n", "ui:\r\n  fps: 8\r\n  theme: fog\r\n"),
    ],
)
def test_one_value_is_replaced_or_one_line_added(before: str, after: str) -> None:
    assert with_setting(before, "ui", "fps", 8) == after


@pytest.mark.parametrize(
    "text", ["{ui: {fps: 4}}\n", "[a, b]\n", "just words\n", "ui: [1]\n", "ui:\n\tfps: 4\n", "a: &x {fps: 4}\nui: *x\n", "ui: {\n"]
)
def test_what_cannot_be_changed_in_this_one_place_is_left_alone(text: str) -> None:
    assert with_setting(text, "ui", "fps", 8) is None


@pytest.mark.parametrize(("key", "value"), [("fps", 15), ("notify", False), ("theme", "fog"), ("theme", "a: b # c")])
def test_the_template_takes_each_setting_and_keeps_every_other_line(key: str, value: object) -> None:
    before = template_path().read_text()
    after = with_setting(before, "ui", key, value)
    assert after is not None
    changed = [line for old, line in zip(before.splitlines(), after.splitlines(), strict=True) if old != line]
    assert len(changed) == 1


def test_a_new_configuration_is_its_owners_and_an_old_one_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "s3tui" / "config.yaml"
    keep_setting(path, "ui", "fps", 8)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_settings(config_file=path, environment={}).settings.ui.fps == 8
    path.chmod(0o640)
    keep_setting(path, "ui", "theme", "fog")
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text() == "ui:\n  theme: fog\n  fps: 8\n"
    assert [found.name for found in path.parent.iterdir()] == ["config.yaml"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("ui: {fps: 4}\n")
    (tmp_path / "config.yaml").symlink_to("real.yaml")
    keep_setting(tmp_path / "config.yaml", "ui", "fps", 8)
    assert (tmp_path / "config.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "ui: {fps: 8}\n"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{ui: {fps: 4}}"])
def test_a_file_that_cannot_be_changed_is_told_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.yaml cannot be changed"):
        keep_setting(path, "ui", "fps", 8)
    assert path.read_bytes() == content
    with pytest.raises(ConfigError, match="cannot be changed"):
        keep_setting(Path("/dev/null/config.yaml"), "ui", "fps", 8)
