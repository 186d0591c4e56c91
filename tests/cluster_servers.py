"""A PostgreSQL and a RabbitMQ of one test's own, on ports of their own, which it may kill and start again."""

from __future__ import annotations

import logging
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika  # type: ignore[import-untyped]
import psycopg

from tests.missing import missing
from tests.waiting import wait_until

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells at length of a server that is not there yet

_SECONDS = 60
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass
class KillableServer:
    """A server in a directory of its own; `kill` is SIGKILL, and `start` finds what it had made durable."""

    directory: Path
    port: int = field(default_factory=lambda: _quiet_port())
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and wait until it answers."""
        self._begin()
        wait_until(self._is_up, _SECONDS, f"{type(self).__name__} to answer")

    def kill(self) -> None:
        """SIGKILL for all of it, at once."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()

    def _is_up(self) -> bool:
        if self.process is None or self.process.poll() is not None:  # what a killed one left was in its way
            self._begin()
        return self._answers()

    def _begin(self) -> None:
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=self.directory, **_as_ordinary(self._user()),
            )  # fmt: skip

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.directory), "LC_ALL": "C.UTF-8"}

    def _user(self) -> str:
        """Who runs it where root must not."""
        return ""

    def _answers(self) -> bool:
        raise NotImplementedError


class PostgreSQL(KillableServer):
    """`postgres`, with a database `postgres` for everybody on this machine."""

    @property
    def url(self) -> str:
        """`state.url`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def new_database(self) -> str:
        """The `state.url` of an empty database besides."""
        name = f"test_{secrets.token_hex(4)}"
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.url.rpartition('/')[0]}/{name}"

    def make(self) -> None:
        """Make the cluster of databases."""
        command = [_pg("initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "data"]
        user = _as_ordinary(self._user())
        with (self.directory / "server.log").open("ab") as log:
            subprocess.run(command, check=True, cwd=self.directory, env=self._environment(), stdout=log, stderr=log, **user)

    def _command(self) -> list[str]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": self.port, "max_connections": 200}
        return [_pg("postgres"), "-D", "data", *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]

    def _user(self) -> str:
        return "postgres"

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=5).close()
            return True
        return False


class RabbitMQ(KillableServer):
    """One node of RabbitMQ, which lets guest in."""

    @property
    def url(self) -> str:
        """`queue.url`."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}"

    def make(self) -> None:
        """Nothing is needed."""

    def depth(self, queue: str) -> int:
        """Messages that wait in a queue: those that a consumer holds are not among them."""
        return int(self._declared(queue).message_count)

    def consumers(self, queue: str) -> int:
        """Who takes from a queue."""
        return int(self._declared(queue).consumer_count)

    def _declared(self, queue: str) -> Any:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            return connection.channel().queue_declare(queue, passive=True).method

    def _command(self) -> list[str]:
        return [str(_RABBITMQ)]

    def _environment(self) -> dict[str, str]:
        here = str(self.directory)
        return {
            **super()._environment(),
            "RABBITMQ_NODENAME": f"s3tui_test_{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(_quiet_port()),
            "RABBITMQ_MNESIA_BASE": f"{here}/mnesia",
            "RABBITMQ_LOG_BASE": f"{here}/log",
            "RABBITMQ_CONF_ENV_FILE": f"{here}/none",
            "RABBITMQ_CONFIG_FILE": f"{here}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
        }

    def _answers(self) -> bool:
        logged = pika.URLParameters(f"{self.url}/?connection_attempts=1&socket_timeout=5")
        with suppress(pika.exceptions.AMQPError, OSError):
            pika.BlockingConnection(logged).close()
            return True
        return False


@contextmanager
def cluster_servers() -> Iterator[tuple[PostgreSQL, RabbitMQ]]:
    """Both, running; the test is skipped where they are not installed."""
    if _pg("postgres") == "" or not _RABBITMQ.exists():
        missing("PostgreSQL's or RabbitMQ's server")
    with ExitStack() as stack:
        servers = PostgreSQL(_directory(stack)), RabbitMQ(_directory(stack))
        for server in servers:
            server.make()
            stack.callback(server.kill)
        for server in servers:
            server.start()
        yield servers


def _directory(stack: ExitStack) -> Path:
    """A directory that an ordinary user may enter, which those of a test are not."""
    directory = Path(tempfile.mkdtemp(prefix="s3tui-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    directory.chmod(0o777)
    return directory


def _quiet_port() -> int:
    """A free port that the system gives to no connection: a server that was killed must find it free again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _pg(program: str) -> str:
    """Where a program of PostgreSQL is: its packages keep it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(found[-1]) if found else shutil.which(program) or ""


def _as_ordinary(user: str) -> dict[str, Any]:
    """Run it as this user, if we are root."""
    if not user or os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
