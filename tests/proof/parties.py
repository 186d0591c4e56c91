"""A PostgreSQL and a RabbitMQ of the test's own, which it may kill: ordinary processes, each in a directory of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.missing import missing
from tests.ports import answers, free_port
from tests.waiting import wait_until

_PATIENCE = 120.0

_POSTGRESQL = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
"""


@dataclass
class PostgreSQLCluster:
    """A cluster."""

    directory: Path
    programs: Path
    owner: str | None
    """Who it runs as, if that is not who runs the tests: PostgreSQL does not run as root."""
    port: int = field(default_factory=free_port)

    def new_database(self) -> str:
        """The URL of an empty database."""
        server, name = f"postgresql://postgres@127.0.0.1:{self.port}", f"proof_{secrets.token_hex(4)}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        return f"{server}/{name}"

    def begin(self) -> None:
        """Make it, and start it."""
        data = str(self.directory / "data")
        self._run("initdb", "--pgdata", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")
        with (self.directory / "data" / "postgresql.conf").open("a") as file:
            file.write(_POSTGRESQL.format(port=self.port))
        self._control("start")

    def restart(self) -> None:
        """End it as a power cut would, and let it recover."""
        self._control("restart", "--mode=immediate")

    def stop(self) -> None:
        """End it at once."""
        self._control("stop", "--mode=immediate")

    def _control(self, *words: str) -> None:
        log = str(self.directory / "log")
        self._run("pg_ctl", *words, "--pgdata", str(self.directory / "data"), "--wait", "--log", log)

    def _run(self, program: str, *arguments: str) -> None:
        # It must not keep a pipe of ours open: the server lives on.
        with (self.directory / "control.log").open("ab") as log:
            subprocess.run(
                [self.programs / program, *arguments],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=_PATIENCE,
                check=True,
                user=self.owner,
                extra_groups=[] if self.owner else None,
            )


@contextmanager
def postgresql_cluster() -> Iterator[PostgreSQLCluster]:
    """A cluster that runs; it is removed in the end."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = shutil.which("pg_ctl") or (installed[-1] if installed else None)
    if found is None:
        missing("PostgreSQL's pg_ctl")
    with tempfile.TemporaryDirectory(prefix="s3tui-postgresql-") as directory:
        owner = _ordinary_user() if os.geteuid() == 0 else None
        if owner:
            shutil.chown(directory, owner)
        cluster = PostgreSQLCluster(Path(directory), Path(found).parent, owner)
        cluster.begin()
        try:
            yield cluster
        finally:
            cluster.stop()


def _ordinary_user() -> str:
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass
class RabbitMQNode:
    """A node without a cluster, plug-ins or configuration."""

    directory: Path
    program: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _name: str = field(default_factory=lambda: f"s3tui-{secrets.token_hex(4)}@localhost")
    _distribution_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Of its default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin with what lies in the directory, and return when it takes connections."""
        with (self.directory / "out").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program],
                env=self._environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._listens, _PATIENCE, "RabbitMQ to listen")

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"RabbitMQ did not start: see {self.directory}/out."
        return answers(self.port)

    @property
    def _environment(self) -> dict[str, str]:
        nowhere = str(self.directory / "none")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),  # where its cookie is
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell stays between us and the node
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": nowhere,
            "RABBITMQ_CONFIG_FILE": nowhere,
            "RABBITMQ_ADVANCED_CONFIG_FILE": nowhere,
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
        }


@contextmanager
def rabbitmq_node() -> Iterator[RabbitMQNode]:
    """A node that runs; it is removed in the end."""
    packaged = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in Debian's path insists on a user of its own
    found = packaged if packaged.exists() else shutil.which("rabbitmq-server")
    if found is None:
        missing("rabbitmq-server")
    with tempfile.TemporaryDirectory(prefix="s3tui-rabbitmq-", ignore_cleanup_errors=True) as directory:
        node = RabbitMQNode(Path(directory), Path(found))
        try:
            node.start()
            yield node
        finally:
            node.kill()
