"""What a backup promises, whatever happens: trees, faults of the store, changes of the sources and kills are drawn at random.

For each source that is gone, its receipt was durable before, and the object has the bytes that the file had. What was found was
uploaded, skipped or failed. The exit code is 0 only if nothing failed. No multipart upload lingers that is not known.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from s3tui.state.store import Store as StateStore
from tests.cli.command import SECONDS, Ended, Home
from tests.cli.interference import CHANGES, Plan
from tests.cli.test_upload import conserves
from tests.front import FaultFront
from tests.proof.mutants import Mutant
from tests.proof.scale import FULL
from tests.servers import Store
from tests.transfer.rides import MIB, filled

_NAMES = [f"{directory}/{name}" for directory in ("a", "b", "c") for name in ("1", "2", "3", "new line \x1b")]
_OPERATIONS = (
    "PutObject",
    "HeadObject",
    "GetObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "ListObjectsV2",
)
_FAULTS = ("slow down", "trouble", "denied", "reset", "lose answer", "spoil")
_RUNS_TO_AN_END = 4


@dataclass(frozen=True)
class Scene:
    """What happens in one example."""

    sizes: dict[str, int]
    faults: list[tuple[str, str, int]]
    changes: list[tuple[int, str, str]]
    kills: list[int]
    engine: str


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any scene."""
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=8, unique=True))
    sizes = {name: draw(st.sampled_from([0, 1, 100, 70_000, 300_000])) for name in names}
    if draw(st.booleans()):
        sizes[names[0]] = 16 * MIB + 5
    faults = draw(st.lists(st.tuples(st.sampled_from(_OPERATIONS), st.sampled_from(_FAULTS), st.integers(1, 4)), max_size=4))
    steps = st.integers(1, 150)
    changes = draw(st.lists(st.tuples(steps, st.sampled_from(sorted(CHANGES)), st.sampled_from(names)), max_size=3))
    kills = draw(st.lists(steps, max_size=2))
    return Scene(sizes, faults, changes, kills, draw(st.sampled_from(["auto", "s3transfer"])))


class Bed:
    """One example at work."""

    def __init__(self, directory: Path, store: Store, front: FaultFront, scene: Scene, **environment: str) -> None:
        self.store = store
        self.scene = scene
        self.home = Home(directory / "home")
        self.home.at(store)
        self.home.environment |= {"AWS_ENDPOINT_URL": front.url, "S3TUI_TRANSFER__ENGINE": scene.engine, **environment}
        self.tree = self.home.work / "tree"
        self.log = directory / "changes"
        self.log.touch()
        for name, size in scene.sizes.items():
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).write_bytes(filled(size))
        for operation, fault, times in scene.faults:
            _arm(front, operation, fault, times)

    def changes(self) -> Plan:
        """What somebody does to the sources, and nothing else."""
        return [[step, what, str(self.tree / name)] for step, what, name in self.scene.changes]

    def run(self, plan: Plan) -> Ended | None:
        """Run the backup while somebody interferes; None if it was killed."""
        (self.home.work / "report.json").unlink(missing_ok=True)
        words = ["backup", "tree", f"s3://{self.store.bucket}/p", "--delete-after-upload", "--max-attempts", "3"]
        command = [sys.executable, "-m", "tests.cli.interference", str(self.log), json.dumps(plan), *words]
        done = subprocess.run(
            [*command, "--output-json", "report.json"],
            cwd=self.home.work,
            env=self.home.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return None if done.returncode < 0 else Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def gone(self) -> list[str]:
        """Files that are neither in the tree nor where their directory was led away to."""
        return [
            name
            for name in self.scene.sizes
            if not (self.tree / name).is_file() and not (self.tree.parent / f"outside-{name}").is_file()
        ]

    def may_have_held(self, name: str) -> set[str]:
        """The hashes of what the file may have held last: what it surely held, or what somebody was about to write."""
        held = {hashlib.sha256(filled(self.scene.sizes[name])).hexdigest()}
        for line in self.log.read_text().splitlines():
            path, digest, sure = json.loads(line)
            if path == str(self.tree / name):
                held = {digest} if sure else held | {digest}
        return held

    def check_receipts(self) -> None:
        """Whatever is gone has a receipt in the database: now, though nobody may have had time to write after it went."""
        with closing(StateStore("sqlite", self.home.directory / "state" / "s3tui")) as state, state.database.read() as connection:
            rows = connection.rows("SELECT path FROM transfer WHERE deleting AND proof IS NOT NULL AND checksum IS NOT NULL")
        assert {path.decode() for (path,) in rows} >= set(self.gone())

    def lost(self) -> list[str]:
        """Files that are gone and whose objects have other bytes than they had."""
        client = self.store.client()
        stored = {name: client.get_object(Bucket=self.store.bucket, Key=f"p/{name}")["Body"].read() for name in self.gone()}
        return [name for name, data in stored.items() if hashlib.sha256(data).hexdigest() not in self.may_have_held(name)]

    def check_report(self, result: Ended) -> None:
        """The report conserves the files, and the exit code tells its failures."""
        report = json.loads((self.home.work / "report.json").read_text())
        assert conserves(report)
        assert result.code == (2 if report["totals"]["failed"] else 0), result
        assert report["totals"]["deleted"] == sum(file["state"] == "deleted" for file in report["files"])

    def check_uploads(self) -> None:
        """Every multipart upload that is open on the store is in the ledger: those of files, that of a probe that was killed."""
        with closing(StateStore("sqlite", self.home.directory / "state" / "s3tui")) as state:
            known = len(state.multiparts.lingering())
            with state.database.read() as connection:
                known += len(connection.rows("SELECT 1 FROM profile WHERE profile LIKE '%probing%'"))
        assert len(self.store.open_uploads()) <= known  # a listing cannot spell every key


def _arm(front: FaultFront, operation: str, fault: str, times: int) -> None:
    if fault == "reset":
        front.reset(operation, times=times)
    elif fault == "lose answer":
        front.lose_answer(operation, times=times)
    elif fault == "spoil":
        front.spoil(operation if operation in ("PutObject", "UploadPart") else "PutObject", times=times)
    else:
        status, code = {"slow down": (503, "SlowDown"), "trouble": (500, "InternalError"), "denied": (403, "AccessDenied")}[fault]
        front.fail(operation, status=status, code=code, times=times)


@settings(max_examples=100 if FULL else 6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scene=scenes())
def test_no_source_is_lost_whatever_happens(rclone: Store, scene: Scene) -> None:
    store = rclone.with_bucket()
    with tempfile.TemporaryDirectory() as directory, FaultFront(store.url) as front:
        bed = Bed(Path(directory), store, front, scene)
        changes = bed.changes()
        plans = [[*changes, [kill, "kill"]] for kill in scene.kills]
        for plan in [*plans, *([changes] if not plans else []), *[[]] * _RUNS_TO_AN_END]:
            result = bed.run(plan)
            assert bed.lost() == []
            bed.check_receipts()
            event("killed" if result is None else f"exit code {result.code}")
            if result is not None and result.code in (0, 2):
                bed.check_report(result)
                if not plan:
                    break
        bed.check_uploads()
        event(f"{len(bed.gone())} of {len(scene.sizes)} gone")


def test_without_the_last_look_what_was_added_after_the_upload_is_lost(rclone: Store, tmp_path: Path) -> None:
    """The negative control: what is found not to be lost above is seen to be."""
    looking = "if source.fingerprint != stored or source.receipt_checksum(checksum, part_size, watch) != checksum:"
    scene = Scene(sizes={"a/1": 100}, faults=[], changes=[(20, "append", "a/1")], kills=[], engine="auto")
    for mutant in (None, Mutant("look", "transfer/deletion.py", looking, "if False:")):
        environment = mutant.grown(tmp_path / "mutant") if mutant else {}
        store = rclone.with_bucket()
        with FaultFront(store.url) as front:
            bed = Bed(tmp_path / f"bed-{mutant is None}", store, front, scene, **environment)
            ended = bed.run(bed.changes())
            assert ended is not None
            assert (ended.code, bed.lost()) == ((0, ["a/1"]) if mutant else (2, []))
