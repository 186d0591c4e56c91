"""A private Ceph cluster, as small as they come, and a radosgw on it: ordinary processes on the loopback.

One monitor, one OSD that keeps its objects in memory, no manager, no keys between them. A cluster needs neither rights nor a place
beside its directory, so every test process may have one, and it is there within two seconds.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from tests.ports import answers, free_port
from tests.waiting import wait_until

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "setpriv")
"""What must be installed: Debian's and Ubuntu's packages ceph-mon, ceph-osd and radosgw."""

_PATIENCE = 120.0
"""Seconds, for a step that takes less than one on a machine with nothing else to do."""

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor_port}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = none
auth service required = none
auth client required = none
# radosgw by itself would insist on encryption, which needs keys
ms mon client mode = crc

mon data = {directory}/mon
osd data = {directory}/osd
crash dir = {directory}
admin socket =
log file =
mon cluster log file =

# there is one monitor: a decision need not wait for others, which would cost a second each
paxos propose interval = 0.01

osd objectstore = memstore
memstore device bytes = 68719476736
osd pool default size = 1
osd pool default pg num = 1
# memory that is flat: a short history, and what was deleted is given back at once
osd min pg log entries = 10
osd max pg log entries = 10
osd pg log dups tracked = 10
rgw gc obj min wait = 1
rgw gc processor period = 1
rgw gc max objs = 1

rgw frontends = beast endpoint=127.0.0.1:{port}
"""


@contextmanager
def radosgw_server(directory: Path, *, access_key: str, secret_key: str) -> Iterator[str]:
    """The URL of a new radosgw with one user. `directory` is made, and removed when all has ended; a log stays beside it."""
    port, monitor_port, osd = free_port(), free_port(), str(uuid4())
    for part in ("mon", "osd"):
        (directory / part).mkdir(parents=True)
    text = _CONFIGURATION.format(directory=directory, fsid=uuid4(), monitor_port=monitor_port, port=port)
    (directory / "ceph.conf").write_text(text)
    with ExitStack() as cluster:
        cluster.callback(shutil.rmtree, directory)
        _run(directory, "ceph-mon", "--mkfs", "--id=a", f"--public-addrv=[v2:127.0.0.1:{monitor_port}]")
        cluster.enter_context(_daemon(directory, "ceph-mon", "--id=a"))
        _run(directory, "ceph", "osd", "new", osd)
        _run(directory, "ceph-osd", "--mkfs", "--id=0", f"--osd-uuid={osd}")
        cluster.enter_context(_daemon(directory, "ceph-osd", "--id=0"))
        user = ["--uid=tests", "--display-name=tests", f"--access-key={access_key}", f"--secret-key={secret_key}"]
        _run(directory, "radosgw-admin", "user", "create", *user)
        gateway = cluster.enter_context(_daemon(directory, "radosgw", "--id=admin"))
        wait_until(lambda: answers(port) or gateway.poll() is not None, timeout=_PATIENCE, what="radosgw to listen")
        assert gateway.poll() is None, f"radosgw did not start: see {_log(directory)}."
        yield f"http://127.0.0.1:{port}"


def _run(directory: Path, program: str, *arguments: str) -> None:
    """Run a program to its end, which must be a good one."""
    with _log(directory).open("ab") as log:
        subprocess.run(
            [program, f"--conf={directory}/ceph.conf", *arguments], stdout=log, stderr=log, timeout=_PATIENCE, check=True
        )


@contextmanager
def _daemon(directory: Path, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the context is left. It ends with this process, too, even if that is killed."""
    command = ["setpriv", "--pdeathsig=KILL", program, "--foreground", f"--conf={directory}/ceph.conf", *arguments]
    with _log(directory).open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


def _log(directory: Path) -> Path:
    return directory.with_suffix(".log")
