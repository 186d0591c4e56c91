"""The estimate of a plan, held against what applying it really asks for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from s3tui.model import Action, JobState
from s3tui.transfer.part_sizes import THRESHOLD
from tests.front import FaultFront
from tests.jobs.yard import Yard
from tests.servers import Store


@pytest.mark.parametrize("if_exists", ["overwrite", "skip"])
def test_applying_a_plan_takes_the_requests_that_were_foretold(
    yard_at: Callable[[Store], Yard], moto_store: Store, tmp_path: Path, if_exists: str
) -> None:
    large = os.urandom(THRESHOLD + 1)
    for name, content in {"new": b"12", "large": large, "taken": b"345", "taken and large": large, "same": b"6"}.items():
        (tmp_path / "tree").mkdir(exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(content)
    with FaultFront(moto_store.url) as front:
        yard = yard_at(moto_store.behind(front))
        yard.upload(tmp_path / "tree" / "same")
        for key in ("taken", "taken and large"):
            moto_store.client().put_object(Bucket=moto_store.bucket, Key=key, Body=b"")
        job = yard.upload(tmp_path / "tree", skip_unchanged=True, if_exists=if_exists, dry_run=True)
        ahead = yard.runtime.service.outlook(job)
        front.requests.clear()
        yard.runtime.service.apply(job.id, home=yard.worker.id)
        assert yard.end_of(job.id).state is JobState.COMPLETED
        asked = [count for (_, key), count in front.requests.items() if ".s3tui-probe" not in key]
        assert sum(asked) == ahead.requests
        assert ahead.actions[Action.NEW] == (2, len(large) + 2)
        taken = Action.OVERWRITE if if_exists == "overwrite" else Action.SKIP
        assert ahead.actions[taken][0] == (2 if if_exists == "overwrite" else 3)
