"""Somebody who pastes commands from a page: a home, files of the names that pages use, a bucket, and a shell."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.servers import ApiServer
from tests.certificates import self_signed
from tests.cli.command import SECONDS, Home
from tests.docs.conftest import ROOT
from tests.front import FaultFront
from tests.media.clips import Clips
from tests.servers import ACCESS_KEY, Store
from tests.terminal import Terminal
from tests.waiting import wait_until

PEOPLE = "id,born,name\n1,1990-01-01,Ada\n2,,Grace\n"
_BUCKETS = re.compile(r"s3://(my-bucket|bucket)\b")


class Reader:
    """One reader of one page. What stands for something of theirs gets a stand-in in `stand_ins`."""

    def __init__(self, home: Home, store: Store, clips: Clips) -> None:
        self.home = home
        self.server: ApiServer | None = None
        self._store = store
        self._clips = clips
        self._said_before: list[str] = []
        home.at(store)
        home.environment |= {"S3_BUCKET_NAME": store.bucket, "PYTHONPATH": str(ROOT), "USER": "reader"}
        home.environment["PATH"] = f"{self._program()}{os.pathsep}{os.environ['PATH']}"

    def _program(self) -> Path:
        """The directory of an `s3tui` for the shell."""
        script = self.home.directory / "bin" / "s3tui"
        script.parent.mkdir(parents=True)
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m s3tui "$@"\n')
        script.chmod(0o755)
        return script.parent

    def lay_out(self) -> None:
        """The files that pages name, and an empty bucket: each line is pasted by itself, and may have deleted what it took."""
        for key in self._store.contents():
            self._store.client().delete_object(Bucket=self._store.bucket, Key=key)
        film, people = self._clips["plain.mp4"].read_bytes(), PEOPLE.encode()
        files = {f"../{folder}/{number}.txt": b"text" for folder in ("photos", "inbox", "films", "exports") for number in range(3)}
        files |= {"film.mp4": film, "talk.mov": film, "../films/holiday.mp4": film, "film.key": bytes(16), ".gitignore": b"*.pyc\n"}
        files |= {"people.csv": people, "rows.csv": people, "stamp": b"", "later": b""}
        files |= {"visits.csv.gz": gzip.compress(people), "rows.csv.gz": gzip.compress(people)}
        for name, content in files.items():
            path = self.home.work / name
            path.parent.mkdir(exist_ok=True)
            if not path.exists():  # what was planned must not change
                path.write_bytes(content)
        os.utime(self.home.work / "stamp", (1, 1))

    def stands_for(self, line: str) -> str:
        """The line with what this reader has in place of what the page names."""
        line = _BUCKETS.sub(f"s3://{self._store.bucket}", line)
        line = line.replace("http://localhost:4566", self._store.url)
        line = line.replace("KEY_ID=test", f"KEY_ID={ACCESS_KEY}").replace("ACCESS_KEY=test", f"ACCESS_KEY={self._store.secret}")
        for path, name in (("/var/exports", "exports"), ("/data/photos", "photos")):
            line = line.replace(path, str(self.home.directory / name))
        line = line.replace("/etc/s3tui/config.yaml", str(self.config()))
        line = re.sub(r"\bs3tui (api(?! token)|web)\b", r"s3tui \1 --port 0", line).replace(
            "--metrics-port 9090", "--metrics-port 0"
        )
        if "localhost:8000" in line:
            line = line.replace("localhost:8000", self.api().url.removeprefix("http://"))
        return re.sub(r"\bID\b", lambda _: self.last_id(line), line)

    def config(self) -> Path:
        """A configuration with nothing in it."""
        path = self.home.directory / "s3tui.yaml"
        path.write_text("")
        return path

    def last_id(self, line: str) -> str:
        """The id that a line is about: the newest token's, or the newest job's."""
        if " token revoke " in line:
            return self.home.run("api", "token", "list").stdout.split()[0]
        return self.home.jobs()[0].id

    def api(self) -> ApiServer:
        """A server whose jobs nobody carries, and its token in the environment."""
        if self.server is None:
            allowed = self.home.directory / "photos"
            (self.home.work / "config.yaml").write_text(f"api: {{start_worker: false, allowed_sources: [{allowed}]}}\n")
            token = self.home.run("api", "token", "create").stdout.split()[-1]
            self.home.environment["TOKEN"] = token
            self.server = ApiServer(self.home, token=token)
            self.server.start()
        return self.server

    def certify(self) -> None:
        """The certificate that a page names."""
        chain, key = self_signed(self.home.work)
        chain.rename(self.home.work / "chain.pem")
        key.rename(self.home.work / "key.pem")

    def fail_a_file(self, front: FaultFront) -> None:
        """A job with a file that the store refused once."""
        front.fail("PutObject", "1.txt", status=403, code="AccessDenied", times=1)
        target = f"s3://{self._store.bucket}/refused"
        assert self.home.run("upload", str(self.home.directory / "photos"), target, AWS_ENDPOINT_URL=front.url).code == 2

    def paste(self, line: str) -> tuple[int, str]:
        """Run a line to its end; its exit code, and what it says."""
        with self._started(line) as process:
            said = process.communicate(timeout=SECONDS)[0].decode()
        return process.returncode, said

    def paste_and_stop(self, line: str, awaited: str) -> tuple[int, str]:
        """Run a line until it has said something, then press Ctrl-C."""
        heard: list[bytes] = []
        with self._started(line) as process:
            assert process.stdout is not None
            listener = threading.Thread(target=lambda: heard.extend(iter(process.stdout.readline, b"")))  # type: ignore[union-attr]
            listener.start()
            wait_until(
                lambda: (heard and awaited.encode() in b"".join(heard)) or process.poll() is not None, SECONDS, f"{line} to say so"
            )
            os.killpg(process.pid, signal.SIGINT)
            code = process.wait(SECONDS)
            listener.join()
        return code, b"".join(heard).decode()

    def open(self, line: str) -> str:
        """Run a line on a terminal until its screen is there, and close the terminal; what it showed."""
        script = f"import os; os.execvp('bash', ['bash', '-c', {line!r}])"
        with Terminal(["-c", script], self.home.variables, directory=self.home.work, columns=100, lines=30) as terminal:
            terminal.until_seen("Help")
            shown = terminal.text()
            terminal.hang_up()
            terminal.process.wait(SECONDS)
        return shown

    def leave(self) -> None:
        """End what goes on in the background."""
        if self.server is not None:
            self.server.stop()
        self.home.stop_workers()

    @contextmanager
    def _started(self, line: str) -> Iterator[subprocess.Popen[bytes]]:
        """A shell that runs the line, after those lines before it that set it up."""
        script = "\n".join(["shopt -s expand_aliases", *self._said_before, line])
        if re.match(r"(export|alias) ", line):
            self._said_before.append(line)
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=self.home.work, env=self.home.variables, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
