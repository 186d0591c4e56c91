"""Wheel and sdist hold all that the program needs, and what is installed from them runs from nothing but itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import s3tui
from tests.cli.command import Home
from tests.servers import Store

ROOT = Path(__file__).parents[1]
DATA = f"s3tui-{s3tui.__version__}.data/data/"
SHARED = {
    "share/man/man1/s3tui.1",
    "share/bash-completion/completions/s3tui",
    "share/zsh/site-functions/_s3tui",
    "share/fish/vendor_completions.d/s3tui.fish",
}
OTHER_PYTHONS = ("3.12", "3.13")


def build(source: Path, directory: Path, *targets: str) -> None:
    """Build packages, without a network."""
    chosen = [word for target in targets for word in ("--target", target)]
    command = [sys.executable, "-m", "hatchling", "build", *chosen, "--directory", str(directory)]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a wheel and an sdist."""
    directory = tmp_path_factory.mktemp("dist")
    build(ROOT, directory, "sdist", "wheel")
    return directory


@pytest.fixture(scope="session")
def wheel(packages: Path) -> Path:
    """The wheel."""
    (path,) = packages.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def unpacked_sdist(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, as whoever packages it elsewhere gets it."""
    (path,) = packages.glob("*.tar.gz")
    directory = tmp_path_factory.mktemp("sdist")
    with tarfile.open(path) as archive:
        archive.extractall(directory, filter="data")
    return directory / path.name.removesuffix(".tar.gz")


def names(wheel: Path) -> set[str]:
    """All files of a wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


def test_holds_every_file_of_the_package(wheel: Path) -> None:
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "s3tui").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert source <= names(wheel)
    assert any(name.startswith("s3tui/state/migrations/0002_") for name in source)


def test_holds_the_themes_the_template_and_the_licence(wheel: Path) -> None:
    themes = {f"s3tui/themes/{path.name}" for path in (ROOT / "themes").iterdir()}

    assert themes
    assert themes <= names(wheel)
    assert "s3tui/config.yaml.template" in names(wheel)
    assert f"s3tui-{s3tui.__version__}.dist-info/licenses/LICENSE" in names(wheel)


def test_holds_the_manual_page_and_the_completions(wheel: Path) -> None:
    assert {name.removeprefix(DATA) for name in names(wheel) if name.startswith(DATA)} == SHARED
    page = zipfile.ZipFile(wheel).read(f"{DATA}share/man/man1/s3tui.1").decode()
    assert page.startswith(".TH S3TUI 1")
    assert "\\-\\-delete\\-after\\-upload" in page


def test_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}

    assert tops == {"s3tui", f"s3tui-{s3tui.__version__}.dist-info", DATA.partition("/")[0]}


def test_an_sdist_makes_the_same_wheel(wheel: Path, unpacked_sdist: Path, tmp_path: Path) -> None:
    assert not (unpacked_sdist / ".git").exists()
    build(unpacked_sdist, tmp_path, "wheel")
    (again,) = tmp_path.glob("*.whl")

    assert names(again) == names(wheel)
    assert zipfile.ZipFile(again).read("s3tui/config.yaml.template") == (ROOT / "config.yaml.template").read_bytes()


def test_an_sdist_holds_what_a_packager_needs(unpacked_sdist: Path) -> None:
    for name in ("tests", "docs", "themes", "Makefile", "constraints.txt", "LICENSE", "CHANGELOG.md", "hatch_build.py"):
        assert (unpacked_sdist / name).exists(), name


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel in it."""

    prefix: Path
    home: Home

    def run(self, *words: str, code: int = 0) -> str:
        """Run its `s3tui`, and return what it prints."""
        environment = {name: value for name, value in self.home.variables.items() if name != "PYTHONPATH"}
        command = [str(self.prefix / "bin" / "s3tui"), *words]
        ended = subprocess.run(command, cwd=self.home.work, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout


@pytest.fixture(scope="session")
def prefix(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel alone; the libraries that it needs are seen from there, and no source tree is."""
    directory = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(directory / "bin" / "python")]
    done = subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (site,) = directory.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return directory


@pytest.fixture
def installed(prefix: Path, home: Home) -> Iterator[Installed]:
    """What is installed, for a new user."""
    yield Installed(prefix, home)
    home.stop_workers()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has configured nothing."""
    return Home(tmp_path / "home")


def use(program: Installed, store: Store) -> None:
    """What somebody does who has just installed it."""
    program.home.at(store)
    (program.home.work / "file").write_text("contents")
    assert program.run("--version").startswith(f"s3tui {s3tui.__version__} (")
    program.run("config", "init")
    assert (program.home.work / "config.yaml").read_bytes() == (ROOT / "config.yaml.template").read_bytes()
    assert "failed" not in program.run("status", f"s3://{store.bucket}")
    assert "completed" in program.run("upload", "file", f"s3://{store.bucket}/a")
    assert store.contents() == {"a/file": b"contents"}
    assert "completed" in program.run("jobs")


def test_what_is_installed_runs_from_the_wheel_alone(installed: Installed, rclone_store: Store) -> None:
    where = subprocess.run(
        [installed.prefix / "bin" / "python", "-c", "import s3tui; print(s3tui.__file__)"],
        cwd=installed.home.work, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed.prefix))
    use(installed, rclone_store)
    assert {name for name in SHARED if (installed.prefix / name).is_file()} == SHARED


def test_the_version_names_the_commit(installed: Installed) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no repository")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    said = installed.run("--version")
    assert f"(commit {head[:12]}" in said
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}." in said
    assert "Textual 8." in said


@pytest.mark.thorough(one_in=2)
@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_installs_with_its_libraries_on_other_pythons(
    version: str, wheel: Path, tmp_path: Path, home: Home, rclone_store: Store
) -> None:
    if not (os.environ.get("CI") or os.environ.get("S3TUI_PYTHONS")):
        pytest.skip("it takes half a minute: S3TUI_PYTHONS=1 runs it")
    near = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    python = str(near[-1]) if near else shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"there is no Python {version} here, and no package of the system brings it")
    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], check=True, capture_output=True)
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel)], check=True, capture_output=True)
    use(Installed(tmp_path / "venv", home), rclone_store)
