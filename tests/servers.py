"""Real S3 servers in processes of their own, as pytest fixtures.

`store` runs a test against each of them; `rclone_store`, `moto_store` and `radosgw_store` ask for one. Every test has a bucket of
its own. Where Ceph is not installed, radosgw's tests are skipped at home, and fail in CI.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from s3tui.model import Connection
from s3tui.storage.local_endpoint import LocalEndpoint
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import S3Client, open_client
from tests.certificates import self_signed
from tests.front import FaultFront
from tests.ports import answers, free_port
from tests.radosgw import PROGRAMS, radosgw_server
from tests.waiting import wait_until

ACCESS_KEY, SECRET_KEY = "TESTKEY", "test-secret"


@dataclass(frozen=True)
class Store:
    """A server, and a bucket on it."""

    name: str
    url: str
    bucket: str = ""
    secret: str = SECRET_KEY
    directory: Path | None = None
    """Where the buckets are directories, if they are."""

    @property
    def connection(self) -> Connection:
        """How a job would name it."""
        return Connection(endpoint_url=self.url, addressing_style="path")

    @property
    def aws(self) -> AwsOptions:
        """Its credentials, as the settings would hold them."""
        return AwsOptions.model_validate({"access_key_id": ACCESS_KEY, "secret_access_key": self.secret})

    def client(self) -> S3Client:
        """A client to look behind the scenes with."""
        return _client(replace(self, bucket=""))

    def behind(self, front: FaultFront) -> Store:
        """The same bucket, reached through a front."""
        return replace(self, url=front.url)

    def with_secret(self, secret: str) -> Store:
        """The same bucket, with other credentials."""
        return replace(self, secret=secret)

    def with_bucket(self) -> Store:
        """A new bucket on the same server."""
        bucket = f"bucket-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=bucket)
        return replace(self, bucket=bucket)

    def contents(self) -> dict[str, bytes]:
        """Every object of the bucket."""
        client = self.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key: client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def open_uploads(self) -> list[str]:
        """Keys of the multipart uploads that were neither completed nor aborted."""
        client = self.client()
        try:
            answer = client.list_multipart_uploads(Bucket=self.bucket)
        except client.exceptions.NoSuchUpload:  # how rclone says that there is none
            return []
        return [upload["Key"] for upload in answer.get("Uploads", ())]

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload, as somebody else would; moto stumbles if a part is on its way, and is asked again."""
        client = self.client()

        def is_gone() -> bool:
            with suppress(client.exceptions.ClientError):
                client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
            return key not in self.open_uploads()

        wait_until(is_gone, what="the upload to be aborted")

    def empty(self) -> None:
        """Delete every object, and what may still become one."""
        client = self.client()
        for upload in client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ()):
            client.abort_multipart_upload(Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for entry in page.get("Contents", ()):  # one by one, as DeleteObjects has no way to name every key
                client.delete_object(Bucket=self.bucket, Key=entry["Key"])


@cache
def _client(store: Store) -> S3Client:
    """One for each server, as making a client takes longer than most tests."""
    return open_client(store.connection, store.aws, max_connections=20, read_timeout=20)


@contextmanager
def rclone_server(directory: Path, *options: str) -> Iterator[Store]:
    """`rclone serve s3` on a directory whose sub-directories are the buckets; with `--cert` and `--key` it speaks TLS."""
    port = free_port()
    scheme = "https" if "--cert" in options else "http"
    binary = Path(sys.executable).with_name("rclone")
    arguments = ["serve", "s3", f"--addr=127.0.0.1:{port}", f"--auth-key={ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode=off"]
    log = (directory.parent / "rclone.log").open("wb")
    with log, subprocess.Popen([binary, "--config=", *arguments, *options, str(directory)], stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: answers(port), timeout=30, what="rclone to listen")
            yield Store("rclone", f"{scheme}://127.0.0.1:{port}", directory=directory)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An rclone server, without a bucket."""
    directory = tmp_path_factory.mktemp("rclone") / "buckets"
    directory.mkdir()
    with rclone_server(directory) as store:
        yield store


@pytest.fixture
def tls_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A bucket on an rclone server that speaks TLS, with a certificate that the environment trusts."""
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    (tmp_path / "buckets").mkdir()
    with rclone_server(tmp_path / "buckets", "--cert", str(certificate), "--key", str(key)) as store:
        yield store.with_bucket()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A moto server, without a bucket."""
    with LocalEndpoint(log=tmp_path_factory.mktemp("moto") / "moto.log") as endpoint:
        yield Store("moto", endpoint.url)


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A radosgw on a cluster of its own, without a bucket."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"Ceph is not installed: there is no {', '.join(missing)}")
    directory = tmp_path_factory.mktemp("radosgw") / "cluster"
    with radosgw_server(directory, access_key=ACCESS_KEY, secret_key=SECRET_KEY) as url:
        yield Store("radosgw", url)


@pytest.fixture
def rclone_store(rclone: Store) -> Store:
    """A bucket on rclone: an independent implementation that checks signatures, and ignores conditions and checksums."""
    return rclone.with_bucket()


@pytest.fixture
def moto_store(moto: Store) -> Store:
    """A bucket on moto: closest to Amazon S3 in conditions, checksums and errors; takes every credential."""
    return moto.with_bucket()


@pytest.fixture
def radosgw_store(radosgw: Store) -> Iterator[Store]:
    """A bucket on radosgw: what users of Ceph have. It checks signatures, bodies and MD5, and knows no other checksums."""
    store = radosgw.with_bucket()
    yield store
    store.empty()  # it is kept in memory


@pytest.fixture(params=["rclone", "moto", "radosgw"])
def store(request: pytest.FixtureRequest) -> Store:
    """A bucket on each server in turn."""
    bucket: Store = request.getfixturevalue(f"{request.param}_store")
    return bucket


@pytest.fixture
def front(store: Store) -> Iterator[FaultFront]:
    """A fault front before `store`."""
    with FaultFront(store.url) as running:
        yield running
