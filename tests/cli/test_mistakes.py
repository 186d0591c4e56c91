"""The classic mistakes, each made with the real command: one sentence with operation, what, cause and next step, exit code 1."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.certificates import self_signed
from tests.cli.command import Home
from tests.scripted import Call, ScriptedServer
from tests.servers import Store
from tests.unprivileged import run_unprivileged

pytestmark = pytest.mark.thorough(one_in=5)

TARGET = "s3://bucket/photos"


@pytest.fixture(params=["wire", "s3transfer"])
def user(request: pytest.FixtureRequest, home: Home) -> Home:
    """Somebody with keys, who uploads `file` with each engine in turn."""
    (home.work / "file").write_text("x")
    engine = {"S3TUI_TRANSFER__ENGINE": "auto" if request.param == "wire" else "s3transfer"}
    home.environment |= {"AWS_ACCESS_KEY_ID": "SOMEBODYSKEY", "AWS_SECRET_ACCESS_KEY": "somebodyssecret", **engine}
    return home


def refusing(status: int, code: str, *, headers: str = "", more: str = "") -> ScriptedServer:
    """A store that refuses everything."""

    def refuse(call: Call) -> None:
        call.read_body()
        if call.method == "HEAD":
            call.answer(status, headers=headers)
        else:
            call.refuse(status, code, headers=headers, more=more)

    return ScriptedServer(refuse)


def hear(home: Home, *words: str, **environment: str) -> str:
    """The sentence that an upload ends in."""
    result = home.run("upload", "file", TARGET, *words, **environment)
    assert result.code == 1
    assert result.stdout == ""
    return result.sentence


def test_an_access_key_that_nobody_knows(user: Home, rclone_store: Store) -> None:
    said = hear(user, AWS_ENDPOINT_URL=rclone_store.url)
    assert "s3://bucket failed: the store does not know the access key" in said
    assert "Check the access key" in said


def test_a_secret_that_does_not_fit(user: Home, rclone_store: Store) -> None:
    user.at(rclone_store.with_secret("wrong"))
    said = hear(user)
    assert "the secret does not belong to the access key" in said
    assert "Check the access key, the secret" in said
    assert "wrong" not in said


def test_a_secret_without_a_key_id(user: Home) -> None:
    said = hear(user, AWS_ACCESS_KEY_ID="")
    assert "aws.secret_access_key is set, but aws.access_key_id is not: set both, or neither" in said
    assert "somebodyssecret" not in said


def test_a_key_id_without_a_secret(user: Home) -> None:
    assert "aws.access_key_id is set, but aws.secret_access_key is not: set both, or neither" in hear(
        user, AWS_SECRET_ACCESS_KEY=""
    )


def test_no_credentials_at_all(user: Home) -> None:
    said = hear(user, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert "no usable credentials" in said
    assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile" in said


def test_a_profile_that_does_not_exist(user: Home) -> None:
    said = hear(user, "--profile", "nobody")
    assert "There is no profile 'nobody' in the AWS config files" in said
    assert "--profile" in said


def test_a_token_that_has_expired(user: Home) -> None:
    with refusing(400, "ExpiredToken") as store:
        result = user.run("upload", "file", TARGET, AWS_ENDPOINT_URL=store.url, AWS_SESSION_TOKEN="old")
    assert result.code == 1
    assert "s3://bucket failed: the credentials have expired" in result.stderr
    assert "Sign in again, or give new credentials" in result.stderr
    assert "s3tui jobs resume" in result.stderr  # with new ones it goes on


@pytest.mark.parametrize(
    ("status", "code", "headers", "more"),
    [
        (301, "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n", ""),
        (400, "AuthorizationHeaderMalformed", "", "<Region>eu-west-1</Region>"),
    ],
)
def test_a_bucket_in_another_region(user: Home, status: int, code: str, headers: str, more: str) -> None:
    with refusing(status, code, headers=headers, more=more) as store:
        said = hear(user, AWS_ENDPOINT_URL=store.url)
    assert "s3://bucket failed: the bucket is in the region eu-west-1" in said
    assert "Use --region eu-west-1." in said


def test_a_bucket_that_is_not_there(user: Home, rclone_store: Store) -> None:
    user.at(rclone_store)
    said = hear(user)
    assert "s3://bucket failed: there is no such bucket" in said
    assert "Create it, or check its name and the endpoint." in said


def test_a_name_that_no_bucket_of_the_store_can_have(user: Home) -> None:
    with refusing(400, "InvalidBucketName") as store:
        said = hear(user, AWS_ENDPOINT_URL=store.url)
    assert "s3://bucket failed: the store takes no such name for a bucket" in said
    assert "Check the name of the bucket." in said


def test_a_bucket_that_lets_nobody_in(user: Home) -> None:
    with refusing(403, "AccessDenied") as store:
        result = user.run("upload", "file", TARGET, AWS_ENDPOINT_URL=store.url)
    assert result.code == 2  # to be let in for listing is not needed, so a file was tried
    assert "PutObject s3://bucket/photos/file" in result.stdout
    assert "the store refuses access (403 AccessDenied). Allow these credentials s3:PutObject, or use others." in result.stdout


def test_a_clock_that_is_off(user: Home) -> None:
    with refusing(403, "RequestTimeTooSkewed", headers=f"Date: {formatdate(usegmt=True)}\r\n") as store:
        said = hear(user, AWS_ENDPOINT_URL=store.url)
    assert "s3://bucket failed: the clock of this machine differs too much from the store's" in said
    assert "Set the clock; `s3tui status s3://BUCKET`" in said


def test_an_endpoint_that_refuses_connections(user: Home) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        said = hear(user, "--endpoint-url", url)
    assert f"s3://bucket failed: nothing answers at {url} (Connection refused). Check the endpoint" in said


def test_a_name_that_nobody_knows(user: Home) -> None:
    said = hear(user, "--endpoint-url", "http://nobody.invalid")
    assert "s3://bucket failed: nothing answers at http://nobody.invalid (" in said
    assert "Check the endpoint, the network and any proxy." in said


def test_a_certificate_that_nobody_vouches_for(user: Home, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with ScriptedServer(lambda call: call.answer(), tls=context) as store:
        said = hear(user, "--endpoint-url", store.url)
        assert f"s3://bucket failed: the certificate of {store.url} is not trusted" in said
        assert "self-signed certificate" in said
        assert "AWS_CA_BUNDLE" in said


def test_https_spoken_to_a_port_of_http(user: Home, rclone_store: Store) -> None:
    url = rclone_store.url.replace("http:", "https:")
    said = hear(user, "--endpoint-url", url)
    assert f"s3://bucket failed: what answers at {url} does not speak TLS" in said
    assert "Write the endpoint with http://" in said


def test_an_endpoint_without_a_scheme(user: Home) -> None:
    said = hear(user, AWS_ENDPOINT_URL="localhost:9000")
    assert "aws.endpoint_url cannot be 'localhost:9000' (environment AWS_ENDPOINT_URL)" in said
    assert "it starts with http:// or https://" in said


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("s3://my bucket/photos", ["'my bucket' cannot be the name of a bucket", "s3://BUCKET/PREFIX"]),
        ("s3://bucket?x", ["'bucket?x' cannot be the name of a bucket"]),
        ("s3:/bucket/photos", ["The target is missing", "s3://BUCKET", "'s3:/bucket/photos'"]),
        ("bucket/photos", ["The target is missing", "s3://BUCKET", "'bucket/photos'"]),
        ("gs://bucket/photos", ["The target is missing", "s3://BUCKET", "'gs://bucket/photos'"]),
    ],
)
def test_a_target_that_is_none(home: Home, target: str, words: list[str]) -> None:
    (home.work / "file").write_text("x")
    result = home.run("upload", "file", target)
    assert result.code == 1
    for word in words:
        assert word in result.sentence


def test_a_source_that_does_not_exist(home: Home) -> None:
    result = home.run("upload", "nowhere", TARGET)
    assert result.code == 1
    assert "The source nowhere cannot be read: no such file or directory. Check the path" in result.sentence


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("transfer:\n\tconcurrency: 8\n", ["config.yaml, line 2, is not valid YAML: it holds a tab: use spaces"]),
        ("transfer: [1, 2\n", ["config.yaml, line 2, is not valid YAML"]),
        (f"transfer:\n  concurrency: {'9' * 5000}\n", ["line 2: transfer.concurrency looks like a number or a date and is none"]),
        ("s3:\n  bucket_name: 2026-02-30\n", ["line 2: s3.bucket_name looks like a number or a date and is none"]),
        ("transfer:\n  concurency: 8\n", ["'transfer.concurency'", "line 2", "Did you mean transfer.concurrency?"]),
    ],
)
def test_a_configuration_that_cannot_be_read(home: Home, config: str, words: list[str]) -> None:
    (home.work / "file").write_text("x")
    (home.work / "config.yaml").write_text(config)
    result = home.run("upload", "file", TARGET)
    assert result.code == 1
    for word in words:
        assert word in result.sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["uplod"], "`s3tui` has no command 'uplod'. Did you mean `s3tui upload`?"),
        (["jobs", "pauze", "X"], "`s3tui jobs` has no command 'pauze'. Did you mean `s3tui jobs pause`?"),
        (["he\x1blp"], r"`s3tui` has no command 'he\x1blp'. `s3tui --help` lists them."),
    ],
)
def test_a_command_that_does_not_exist(home: Home, words: list[str], said: str) -> None:
    result = home.run(*words)
    assert (result.code, result.sentence) == (1, f"s3tui: {said}")


UPLOAD = """
    import io, json, os, sys
    from contextlib import redirect_stderr
    from s3tui.cli.main import run

    work, source = map(json.loads, sys.argv[1:])
    os.chdir(work)
    os.environ |= {"HOME": work, "XDG_STATE_HOME": f"{work}/state"}
    with redirect_stderr(io.StringIO()) as said:
        code = run(["upload", source, "s3://bucket/photos"])
    print(json.dumps([code, said.getvalue()]))
"""


def closed_file(work: Path) -> str:
    path = work / "private.txt"
    path.write_text("x")
    path.chmod(0)
    return path.name


def closed_directory(work: Path) -> str:
    path = work / "private"
    path.mkdir(mode=0)
    return path.name


@pytest.mark.parametrize("make", [closed_file, closed_directory])
def test_a_source_that_may_not_be_read(tmp_path: Path, make: Callable[[Path], str]) -> None:
    source = make(tmp_path)
    code, said = run_unprivileged(UPLOAD, str(tmp_path), source)
    (tmp_path / source).chmod(0o700)
    assert code == 1
    assert (
        said
        == f"s3tui: The source {source} cannot be read: permission denied. Give yourself the right to read it, or exclude it.\n"
    )
