"""The wheel holds all that the program needs at run time, and runs from nothing but itself."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import s3tui

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = directory.glob("*.whl")
    return path


def test_holds_every_file_of_the_package(wheel: Path) -> None:
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "s3tui").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert source <= set(zipfile.ZipFile(wheel).namelist())
    assert any(name.startswith("s3tui/state/migrations/0002_") for name in source)


def test_holds_the_themes_the_template_and_the_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    themes = {f"s3tui/themes/{path.name}" for path in (ROOT / "themes").iterdir()}

    assert themes
    assert themes <= names
    assert "s3tui/config.yaml.template" in names
    assert f"s3tui-{s3tui.__version__}.dist-info/licenses/LICENSE" in names


def test_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert tops == {"s3tui", f"s3tui-{s3tui.__version__}.dist-info"}


def test_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    environment = os.environ | {"PYTHONPATH": str(installed), "XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    assert run("-c", "import s3tui; print(s3tui.__file__)").startswith(str(installed))
    assert s3tui.__version__ in run("-m", "s3tui", "--version")
    run("-m", "s3tui", "--config", "config.yaml", "config", "init")
    assert (tmp_path / "config.yaml").read_bytes() == (ROOT / "config.yaml.template").read_bytes()
    # opens the database, and so runs the migrations
    run("-m", "s3tui", "jobs", "list")
