"""Who may call: tokens as the API and its command know them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from s3tui.model import now_ms
from tests.api.offices import Office, bearer
from tests.cli.command import Home

pytestmark = pytest.mark.thorough(one_in=5)

TOKEN = re.compile(r"s3t_[a-z2-7]{10}_[a-z2-7]{52}")


async def test_a_revoked_token_is_good_for_nothing_within_a_second(any_office: Office) -> None:
    token = any_office.store.tokens.create(name="x", scope="write")
    assert (await any_office.client.get("/v1/jobs", headers=bearer(token))).status_code == 200
    any_office.store.tokens.revoke(token.split("_")[1])
    began = now_ms()
    while (answer := await any_office.client.get("/v1/jobs", headers=bearer(token))).status_code == 200:
        assert now_ms() - began < 10_000
    assert answer.status_code == 401
    assert "was revoked" in answer.json()["detail"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_token_expires(any_office: Office) -> None:
    late, soon = (any_office.bearer(expires_at=now_ms() + ahead) for ahead in (60_000, -1))
    assert (await any_office.client.get("/v1/jobs", headers=late)).status_code == 200
    answer = await any_office.client.get("/v1/jobs", headers=soon)
    assert answer.status_code == 401
    assert "has expired" in answer.json()["detail"]


async def test_the_last_use_is_written_down_to_the_minute(any_office: Office) -> None:
    before = now_ms()
    await any_office.client.get("/v1/jobs")
    async with asyncio.timeout(30):
        while (token := any_office.store.tokens.all()[0]).used_at is None:
            await asyncio.sleep(0)
    assert before <= token.used_at <= now_ms()
    any_office.store.tokens.use(token)
    assert any_office.store.tokens.all()[0].used_at == token.used_at


async def test_only_a_hash_of_a_token_is_at_rest(office: Office) -> None:
    await office.client.get("/v1/jobs")
    office.store.close()
    secret = office.token.rpartition("_")[2].encode()
    path = office.store.database.path
    assert path is not None
    for file in path.parent.iterdir():
        if file.is_file():
            assert secret not in file.read_bytes(), file


@pytest.fixture
def quiet_home(home: Home) -> Home:
    """Nobody shall start a worker for these."""
    (home.work / "config.yaml").write_text("api: {start_worker: false}\n")
    return home


def test_the_command_makes_lists_and_revokes_tokens(quiet_home: Home) -> None:
    made = quiet_home.run("api", "token", "create", "--name", "ci \x1b[31m", "--scope", "read", "--expires", "30d")
    assert made.code == 0, made.stderr
    token = made.stdout.strip()
    assert TOKEN.fullmatch(token)
    assert token not in made.stderr
    [row] = quiet_home.run("api", "token", "list", "--json").json
    assert (row["id"], row["scope"], row["state"], row["used_at"]) == (token.split("_")[1], "read", "good", None)
    assert row["expires_at"] is not None
    listed = quiet_home.run("api", "token").stdout
    assert row["id"] in listed
    assert "\\x1b" in listed
    assert token.rpartition("_")[2] not in listed
    assert quiet_home.run("api", "token", "revoke", row["id"]).code == 0
    assert quiet_home.run("api", "token", "list", "--json").json[0]["state"] == "revoked"
    again = quiet_home.run("api", "token", "revoke", row["id"])
    assert (again.code, again.sentence) == (1, f"s3tui: Token {row['id']} is revoked already.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("token", "revoke", "nobody"), "There is no token 'nobody'"),
        (("token", "create", "--expires", "soon"), "--expires cannot be used"),
        (("token", "create", "--expires", "2001-01-01"), "--expires must lie ahead"),
        (("token", "create", "--scope", "all"), "invalid choice"),
        (("--tls-key", "x"), "--tls-key needs --tls-cert"),
        (("--tls-cert", "nothing.pem", "--port", "0"), "TLS cannot be set up"),
        (("--port", "70000"), "is not a port"),
        (("--host", "203.0.113.1", "--port", "0"), "cannot listen at 203.0.113.1"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(quiet_home: Home, words: tuple[str, ...], said: str) -> None:
    refused = quiet_home.run("api", *words)
    assert refused.code == 1
    assert said in refused.sentence


def test_without_its_libraries_the_sentence_names_the_extra(quiet_home: Home, tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError(name='fastapi')\n")
    refused = quiet_home.run("api", PYTHONPATH=f"{tmp_path}:{quiet_home.variables['PYTHONPATH']}")
    assert refused.code == 1
    assert "pip install 's3tui[api]'" in refused.sentence
    assert quiet_home.run("api", "--help", PYTHONPATH=f"{tmp_path}:{quiet_home.variables['PYTHONPATH']}").code == 0


def test_the_first_start_makes_one_token_and_the_second_none(quiet_home: Home) -> None:
    first = quiet_home.start("api", "--port", "0")
    assert first.stdout is not None
    token = first.stdout.readline().decode().strip()
    assert TOKEN.fullmatch(token)
    assert first.stderr is not None
    assert "There was no token yet" in first.stderr.readline().decode()
    assert "answers at http://127.0.0.1:" in first.stderr.readline().decode()
    first.terminate()
    assert first.wait(20) == 0
    second = quiet_home.start("api", "--port", "0", "--host", "0.0.0.0")
    assert second.stderr is not None
    said = [line := second.stderr.readline().decode()]
    while line and "answers at" not in line:
        said.append(line := second.stderr.readline().decode())
    second.terminate()
    out, err = second.communicate(timeout=20)
    assert (second.returncode, out, err) == (0, b"", b"")
    assert "Warning: 0.0.0.0 can be reached from other machines, and without TLS" in "".join(said)
    [row] = quiet_home.run("api", "token", "list", "--json").json
    assert (row["name"], row["scope"]) == ("first", "write")
    log = (quiet_home.directory / "state" / "s3tui" / "s3tui.log").read_text()
    assert token.rpartition("_")[2] not in log
