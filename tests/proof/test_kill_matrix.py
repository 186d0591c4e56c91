"""Every command, killed at every step it makes: run once more it brings all, once, and leaves nothing behind.

`make proof` kills at each step; other runs at a few, drawn from the seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import pytest

from s3tui.media.binary import find_ffmpeg
from tests.films import faults
from tests.front import Passage
from tests.media.clips import SECONDS, Clips
from tests.proof.errands import Errand, errands
from tests.proof.mutants import Mutant
from tests.proof.scale import FULL, SEEDS
from tests.proof.trial import SEAMS, Trial, tried
from tests.servers import Store

_AT_A_TIME = 3 if FULL else 2
_EVERYWHERE = [(name, seam) for name in ("upload", "multipart", "backup", "video", "ingest") for seam in SEAMS]
_SAMPLE = 8
"""Of these, so many are tried with every run of the tests, one step each."""


@dataclass(frozen=True)
class Undisturbed:
    """An errand as it goes when nothing befalls it."""

    errand: Errand
    steps: dict[str, list[str]]
    objects: dict[str, bytes]


Go = Callable[[str], Undisturbed]
"""An errand by its name."""


@pytest.fixture(scope="session")
def undisturbed(clips: Clips, rclone: Store, tmp_path_factory: pytest.TempPathFactory) -> Go:
    """Each errand, gone once to its end, when it is first asked for."""

    @cache
    def go(name: str) -> Undisturbed:
        errand = errands(clips)[name]
        with tried(errand, tmp_path_factory.mktemp(name), rclone) as trial:
            ended = trial.run()
            assert ended is not None
            assert ended.code == 0, ended.stderr
            assert trial.wrong_at_the_end(trial.objects) == []
            assert not errand.makes_copies or trial.objects == trial.sources
            assert spoiled(trial) == []
            return Undisturbed(errand, trial.made, trial.objects)

    return go


def spoiled(trial: Trial) -> list[str]:
    """What an independent validator says of the video, if it is one."""
    if trial.errand.name != "video":
        return []
    return faults(trial.store, "p/film/master.m3u8", find_ffmpeg("").path, SECONDS)


def killed(one: Undisturbed, seam: str, step: int, directory: Path, rclone: Store, **environment: str) -> tuple[bool, list[str]]:
    """Kill an errand at a step and run it again; returns whether it got to that step, and what is wrong."""
    with tried(one.errand, directory, rclone, **environment) as trial:
        ended = trial.run(seam, step)
        if ended is not None and ended.code != 0:
            return False, [f"it failed instead of being killed: {ended}"]
        wrong = [f"when it was killed: {what}" for what in trial.wrong_now()]
        return ended is None, wrong + trial.wrong_at_the_end(one.objects) + spoiled(trial)


def chosen(one: Undisturbed, seam: str) -> list[int]:
    """The steps to die at."""
    every = range(1, len(one.steps[seam]) + 1)
    return list(every) if FULL else Random(f"{SEEDS[0]} {one.errand.name} {seam}").sample(every, 1)


@pytest.mark.thorough(one_in=4)
@pytest.mark.parametrize(("name", "seam"), _EVERYWHERE if FULL else Random(SEEDS[0]).sample(_EVERYWHERE, _SAMPLE))
def test_whatever_step_it_dies_at_the_same_command_brings_all_once(
    undisturbed: Go, rclone: Store, tmp_path: Path, name: str, seam: str
) -> None:
    one = undisturbed(name)
    steps = chosen(one, seam)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = list(pool.map(lambda step: killed(one, seam, step, tmp_path / f"step-{step}", rclone), steps))
    kinds = Counter(one.steps[seam][step - 1] for step in steps) if seam != "store" else {}
    reached = sum(was_killed for was_killed, _ in outcomes)
    print(f"\n{name}, {seam}: {reached} of {len(steps)} steps killed at", ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    wrong = {f"step {step}, {one.steps[seam][step - 1]}": what for step, (_, what) in zip(steps, outcomes, strict=True) if what}
    assert wrong == {}
    assert reached >= len(steps) * 3 // 4


def nth(count: int, steps: list[str], *words: str) -> int:
    """The number of the first, second, ... step that has all of these words."""
    return [number for number, step in enumerate(steps, 1) if all(word in step for word in words)][count - 1]


_CONTROLS: dict[str, tuple[Mutant, str, str, Callable[[list[str]], int], str]] = {
    "a job that was begun is found again": (
        Mutant("resume", "state/jobs.py", "if unfinished is not None:", "if False:"),
        *("upload", "store", lambda steps: nth(1, steps, "PutObject p/", Passage.DONE)),
        "another number of jobs than one",
    ),
    "an upload is written down before it is begun": (
        Mutant(
            "ledger",
            "transfer/multipart.py",
            "self._write(UploadIntended(voyage.transfer.no, self._target, self._part_size, fingerprint, voyage.policy.checksum))",
        ),
        *("multipart", "store", lambda steps: nth(1, steps, "UploadPart p/", Passage.COME)),
        "not in the ledger",
    ),
    "what went before it was written down is known to have gone": (
        Mutant("gone", "jobs/backup.py", "if not (stored.deleting and deletion.is_gone(stored.path)):", "if True:"),
        *("backup", "files", lambda steps: nth(3, steps, "os.remove")),
        "the second run failed",
    ),
}


@pytest.mark.thorough(one_in=3)
@pytest.mark.parametrize("guard", _CONTROLS)
def test_without_its_guard_it_does_not(undisturbed: Go, rclone: Store, tmp_path: Path, guard: str) -> None:
    """The negative control: what is found to hold above is seen to be broken."""
    mutant, name, seam, place, complaint = _CONTROLS[guard]
    one = undisturbed(name)
    environment = mutant.grown(tmp_path / "mutant")
    was_killed, wrong = killed(one, seam, place(one.steps[seam]), tmp_path / "home", rclone, **environment)
    assert was_killed
    assert any(complaint in what for what in wrong), wrong


def test_whatever_is_wrong_is_seen(undisturbed: Go, rclone: Store, tmp_path: Path) -> None:
    """The negative control of the oracle: each thing it looks at is spoiled by somebody else, and it says so."""
    one = undisturbed("backup")
    with tried(one.errand, tmp_path / "home", rclone) as trial:
        assert trial.run() is not None
        assert trial.wrong_at_the_end(one.objects) == []
        object_path = trial.root / "z"
        object_path.write_bytes(b"other")
        assert trial.wrong_at_the_end(one.objects) == [
            "objects are missing, left over or other ones",
            "'z' is gone, and its object has not its bytes",
        ]
        object_path.write_bytes(trial.sources["z"])
        (trial.root / "more").write_bytes(b"")
        assert trial.wrong_at_the_end(one.objects) == ["objects are missing, left over or other ones"]
        (trial.root / "more").unlink()
        begun = trial.store.client().create_multipart_upload(Bucket=trial.store.bucket, Key="p/open")
        assert trial.wrong_at_the_end(one.objects) == ["uploads are open", "1 open uploads are not in the ledger"]
        trial.store.abort("p/open", begun["UploadId"])
        left = trial.home.directory / "state" / "s3tui" / "video" / "left"
        left.mkdir(parents=True)
        assert trial.wrong_at_the_end(one.objects) == ["working files are left over"]
        left.rmdir()
        source = trial.home.work / "tree" / "late"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(b"")
        assert trial.wrong_at_the_end(one.objects) == ["sources are not as they must be"]
