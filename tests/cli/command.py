"""The real command, in a process of its own, with a home and an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3tui.model import Job
from s3tui.report import report_json
from s3tui.state.store import Store as StateStore
from s3tui.state.workers import WorkerRow
from tests.servers import ACCESS_KEY, Store
from tests.unprivileged import without_root_powers

SECONDS = 60
"""What one command may take on a slow machine."""

INSTALLED = os.environ.get("S3TUI_INSTALLED", "")
"""The Python of an environment in which a wheel is installed: with it, the commands are that wheel's."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.stdout)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def sentence(self) -> str:
        """The one line on standard error; fails when there are more, or a traceback."""
        assert "Traceback" not in self.stderr
        lines = self.stderr.splitlines()
        assert len(lines) == 1, self.stderr
        return lines[0]


@dataclass
class Home:
    """A user's home, working directory and environment."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    ordinary: bool = False
    """Whether commands lose the power to ignore permissions that root has."""
    wrapper: tuple[str, ...] = ()
    """Words before every command: a program that makes another machine of this one, and then runs what follows."""

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)

    @property
    def work(self) -> Path:
        """Where commands run."""
        return self.directory / "work"

    def at(self, store: Store) -> None:
        """From now on, S3 is this store."""
        self.environment |= {
            "AWS_ENDPOINT_URL": store.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": store.secret,
        }

    def run(self, *words: str | bytes, **environment: str) -> Ended:
        """Run a command to its end."""
        return ended(self.start(*words, **environment))

    def start(self, *words: str | bytes, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(
            [*self.wrapper, INSTALLED or sys.executable, "-m", "s3tui", *words],
            cwd=self.work,
            env=self.variables | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=without_root_powers if self.ordinary else None,
        )

    def jobs(self) -> list[Job]:
        """All jobs, newest first, as the state database has them."""
        with closing(self._state()) as store:
            return store.jobs.newest(limit=100, before=None)

    def report(self) -> list[dict[str, Any]]:
        """The files of the newest job, as its report has them."""
        with closing(self._state()) as store:
            newest = store.jobs.newest(limit=1, before=None)[0]
            files: list[dict[str, Any]] = json.loads("".join(report_json(store, newest)))["files"]
            return files

    def workers(self) -> list[WorkerRow]:
        """The workers that are alive."""
        with closing(self._state()) as store:
            return store.workers.alive()

    def last_beat(self) -> int:
        """When a worker's heart beat last, in milliseconds."""
        with closing(self._state()) as store, store.database.read() as connection:
            found = connection.first("SELECT max(alive_until) FROM worker")
            return int(found[0]) if found else 0

    def stop_workers(self) -> None:
        """End the background workers that commands have started."""
        for worker in self.workers():
            os.kill(worker.pid, signal.SIGTERM)

    def _state(self) -> StateStore:
        return StateStore(self.environment.get("DATABASE_URL", "sqlite"), self.directory / "state" / "s3tui")

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment of a command."""
        outer = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {
            **outer,
            **({} if INSTALLED else {"PYTHONPATH": str(Path(__file__).parents[2])}),
            "HOME": str(self.directory),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "XDG_CONFIG_HOME": str(self.directory / "config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **self.environment,
        }


def ended(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for a command to end."""
    stdout, stderr = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, stdout.decode(), stderr.decode())
