"""The engine and nothing else, for `benchmarks.overhead`: scan a directory, carry it, forget every fact.

    python engine_alone.py DIRECTORY CONCURRENCY

Store and keys come from the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from pydantic import SecretStr

from s3tui.events import Fact
from s3tui.model import Connection, ObjectRef, Policy, Transfer
from s3tui.storage.options import AwsOptions
from s3tui.transfer.choice import Choice
from s3tui.transfer.engine import Control
from s3tui.transfer.plan import scan
from s3tui.transfer.progress import Progress
from s3tui.transfer.route import open_route


def main(directory: str, concurrency: int) -> None:
    """Carry everything in the directory."""
    aws = AwsOptions(
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"], secret_access_key=SecretStr(os.environ["AWS_SECRET_ACCESS_KEY"])
    )
    connection = Connection(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    engine = open_route(connection, aws, "bench", choice="auto", concurrency=1000, profiles=_Forgetful()).engine
    engine.carry(_transfers(directory), Policy(), ledger=_Forgetful(), progress=Progress(), control=Control(concurrency))
    engine.close()


def _transfers(directory: str) -> Iterator[Transfer]:
    found = scan([os.fsencode(directory)], prefix="run/", choice=Choice(), created_at=0)
    for number, planned in enumerate(found):
        assert planned.key is not None
        yield Transfer(number, os.fsencode(directory) + b"/" + planned.path, ObjectRef("bench", planned.key), planned.fingerprint)


class _Forgetful:
    """A ledger, and profiles, that keep nothing."""

    def record(self, _: Sequence[Fact]) -> None:
        pass

    def flush(self) -> None:
        pass

    def get(self, _: str) -> str | None:
        return None

    def put(self, _: str, __: str) -> None:
        pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
