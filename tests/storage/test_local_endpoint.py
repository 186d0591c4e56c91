"""The demo's S3 endpoint: a real process, spoken to by a real client."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from s3tui.errors import StorageError
from s3tui.storage.local_endpoint import LocalEndpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REFUSED = "reports/first refused ✓.pdf"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEndpoint]:
    with LocalEndpoint(log=tmp_path_factory.mktemp("endpoint") / "server.log", refuse_once=[REFUSED]) as running:
        running.create_bucket("cellar")
        yield running


@pytest.fixture(scope="module")
def client(endpoint: LocalEndpoint) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=100, s3={"addressing_style": "path"}),
    )


@pytest.mark.parametrize(
    "key",
    [
        "plain.txt",
        "with spaces and + plus.txt",
        "naïve/日本語/📦.txt",
        "-leading-dash",
        "[brackets].txt",
        "100% & more?#.txt",
        "colour \x1b[31mred\x1b[0m.txt",
    ],
)
def test_stores_and_returns_objects_under_odd_keys(client: S3Client, key: str) -> None:
    client.put_object(Bucket="cellar", Key=key, Body=key.encode())

    assert client.get_object(Bucket="cellar", Key=key)["Body"].read() == key.encode()


def test_stores_an_empty_object(client: S3Client) -> None:
    client.put_object(Bucket="cellar", Key="empty", Body=b"")

    assert client.head_object(Bucket="cellar", Key="empty")["ContentLength"] == 0


def test_answers_with_the_checksum_that_was_sent(client: S3Client) -> None:
    stored = client.put_object(Bucket="cellar", Key="sum", Body=b"123456789", ChecksumAlgorithm="CRC64NVME")

    assert stored["ChecksumCRC64NVME"] == "rosUhgp5mIg="


def test_assembles_a_multipart_upload(client: S3Client) -> None:
    parts = [os.urandom(5 << 20), b"the end"]
    upload = client.create_multipart_upload(Bucket="cellar", Key="large")["UploadId"]

    etags = [
        client.upload_part(Bucket="cellar", Key="large", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, 1)
    ]
    finished: Any = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    client.complete_multipart_upload(Bucket="cellar", Key="large", UploadId=upload, MultipartUpload={"Parts": finished})

    stored = client.get_object(Bucket="cellar", Key="large")["Body"].read()
    assert hashlib.sha256(stored).digest() == hashlib.sha256(b"".join(parts)).digest()


def test_refuses_a_chosen_key_once(client: S3Client) -> None:
    with pytest.raises(ClientError) as refusal:
        client.put_object(Bucket="cellar", Key=REFUSED, Body=b"x" * 100_000)

    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.put_object(Bucket="cellar", Key=REFUSED, Body=b"taken now")


def test_carries_a_hundred_uploads_at_once(client: S3Client) -> None:
    def put(number: int) -> None:
        client.put_object(Bucket="cellar", Key=f"crowd/{number}", Body=b"%d" % number)

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(put, range(300)))

    assert client.list_objects_v2(Bucket="cellar", Prefix="crowd/")["KeyCount"] == 300


def test_keeps_a_connection_open_for_the_next_request(endpoint: LocalEndpoint, client: S3Client) -> None:
    connection = HTTPConnection(endpoint.url.removeprefix("http://"))
    used = set()
    for body in (b"first", b"second"):
        connection.request("PUT", f"/cellar/{body.decode()}", body=body, headers={"Content-Type": "text/plain"})
        assert connection.getresponse().read() == b""
        used.add(connection.sock)

    assert len(used) == 1
    assert None not in used
    assert client.get_object(Bucket="cellar", Key="second")["Body"].read() == b"second"


def test_keeps_nothing_of_an_upload_that_broke_off(endpoint: LocalEndpoint, client: S3Client) -> None:
    address = endpoint.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as broken:
        broken.sendall(b"PUT /cellar/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this")
        broken.shutdown(socket.SHUT_WR)
        assert broken.recv(1) == b""

    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket="cellar", Key="half")


def test_ends_with_its_context(tmp_path: Path) -> None:
    with LocalEndpoint(log=tmp_path / "server.log") as endpoint:
        endpoint.create_bucket("cellar")
        url, pid = endpoint.url, endpoint.pid

    assert not _alive(pid)
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(url.removeprefix("http://")).request("GET", "/")


def test_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from s3tui.storage.local_endpoint import LocalEndpoint
with LocalEndpoint(log=Path({str(tmp_path / "server.log")!r})) as endpoint:
    print(endpoint.url, flush=True)
    input()
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        host, port = parent.stdout.readline().strip().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            parent.kill()
            # the server's end of the connection closes when its process does, politely or not
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""


def test_says_why_it_did_not_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = LocalEndpoint(log=tmp_path / "server.log", port=taken.getsockname()[1])
        with pytest.raises(StorageError, match=r"did not start: .*in use.* See .*server\.log\."):
            endpoint.__enter__()

    assert endpoint.pid == 0


def test_names_the_extra_that_is_missing(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.append({str(Path(__file__).parents[2])!r})
from pathlib import Path
from s3tui.storage.local_endpoint import LocalEndpoint
LocalEndpoint(log=Path({str(tmp_path / "server.log")!r})).__enter__()
"""
    # -S: an interpreter that sees no installed package
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert ended.stderr.splitlines()[-1].endswith("needs moto, flask, flask_cors: run `pip install 's3tui[demo]'`.")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
