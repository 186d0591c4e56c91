"""What there is to upload to: buckets, and the prefixes in them, listed in a process of its own.

The terminal UI imports no SDK, so `TargetLister` starts `python -m s3tui.storage.browsing` with the first question and asks it on a
pipe, one JSON document a line. Settings and credentials go over the same pipe: neither arguments nor the environment tell them. The
process ends with its standard input, so it outlives nobody.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, NamedTuple

from pydantic import SecretStr

from s3tui.errors import S3tuiError, StorageError
from s3tui.model import Connection
from s3tui.storage.options import AwsOptions

DELIMITER = "/"
_PAGE = 1000
_READ_SECONDS = 20


class TargetPage(NamedTuple):
    """Some of the buckets, or of the prefixes right below one."""

    names: tuple[str, ...]
    """Names of buckets; or whole prefixes, each of which ends in a slash."""
    objects: int = 0
    """Objects right below the prefix, of this page."""
    token: str = ""
    """What to ask for the next page with; empty: this is the last one."""


class TargetLister:
    """Lists buckets and prefixes. Thread-safe; a question blocks for as long as the store takes to answer."""

    def __init__(self, connection: Connection, aws: AwsOptions) -> None:
        self._setting = json.dumps({"connection": asdict(connection), "aws": _plain(aws)})
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def page(self, bucket: str, prefix: str, token: str = "") -> TargetPage:
        """The prefixes right below one; without a bucket, the buckets. Raises StorageError."""
        with self._lock:
            answer = self._ask({"bucket": bucket, "prefix": prefix, "token": token})
        if "error" in answer:
            raise StorageError(answer["error"], reason=answer["reason"])
        return TargetPage(tuple(answer["names"]), answer["objects"], answer["token"])

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        try:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
        except (OSError, ValueError) as error:
            self._end()
            raise StorageError(
                "The process that lists targets has ended; ask again to start another.", reason="broken_off"
            ) from error
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "s3tui.storage.browsing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="ascii",
                start_new_session=True,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(self._setting + "\n")
        if self._closed:  # asked after `_process` was set, as `close` sets it before it looks for a process
            self._process.kill()
        return self._process

    def close(self) -> None:
        """End the process; a question that is out raises StorageError."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError):
                process.communicate()


def _plain(aws: AwsOptions) -> dict[str, Any]:
    """The settings that were set, secrets in the open: for a pipe only."""
    fields = aws.model_dump(exclude_unset=True)
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in fields.items()}


def answers(lines: Iterable[str]) -> Iterator[str]:
    """The settings, then questions; an answer to each question. Imports the SDK."""
    from s3tui.storage.failures import translate
    from s3tui.storage.sdk import open_client

    source = iter(lines)
    setting = json.loads(next(source))
    client: Any = None
    for line in source:
        question = json.loads(line)
        bucket, prefix, token = question["bucket"], question["prefix"], question["token"]
        try:
            if client is None:
                connection, aws = Connection(**setting["connection"]), AwsOptions.model_validate(setting["aws"])
                client = open_client(connection, aws, max_connections=1, read_timeout=_READ_SECONDS)
            operation, target = ("ListObjectsV2", f"s3://{bucket}/{prefix}") if bucket else ("ListBuckets", "of these credentials")
            with translate(operation, target):
                page = _prefixes(client, bucket, prefix, token) if bucket else _buckets(client, token)
        except S3tuiError as error:
            yield json.dumps({"error": str(error), "reason": error.reason})
        else:
            yield json.dumps(page._asdict())


def _buckets(client: Any, token: str) -> TargetPage:  # noqa: ANN401 - botocore's client has no type
    more = {"ContinuationToken": token} if token else {}
    page = client.list_buckets(MaxBuckets=_PAGE, **more)
    return TargetPage(tuple(entry["Name"] for entry in page.get("Buckets", ())), 0, page.get("ContinuationToken", ""))


def _prefixes(client: Any, bucket: str, prefix: str, token: str) -> TargetPage:  # noqa: ANN401
    more = {"ContinuationToken": token} if token else {}
    page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter=DELIMITER, MaxKeys=_PAGE, **more)
    names = tuple(entry["Prefix"] for entry in page.get("CommonPrefixes", ()))
    objects = sum(entry["Key"] != prefix for entry in page.get("Contents", ()))
    return TargetPage(names, objects, page.get("NextContinuationToken", "") if page.get("IsTruncated") else "")


def _serve(source: IO[str], sink: IO[str]) -> None:
    for answer in answers(source):
        sink.write(answer + "\n")
        sink.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt, StopIteration):
        _serve(sys.stdin, sys.stdout)
