"""Credentials of the AWS SDK's own chain, from a real `credential_process` whose keys last for seconds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from s3tui.errors import CredentialsError, CredentialsExpired
from s3tui.model import Connection
from s3tui.storage.keys import Keys
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import SdkKeys

PROCESS = """
import datetime, json, pathlib, sys
issued = pathlib.Path(sys.argv[1])
number = int(issued.read_text()) + 1 if issued.exists() else 1
if number > int(sys.argv[2]):
    sys.exit("The session has ended.")
issued.write_text(str(number))
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
print(json.dumps({"Version": 1, "AccessKeyId": f"KEY-{number}", "SecretAccessKey": "s", "SessionToken": f"token-{number}",
                  "Expiration": end.isoformat()}))
"""


def configured(directory: Path, *, good_for: int) -> SdkKeys:
    """Keys of a process that answers so many times."""
    program = directory / "process.py"
    program.write_text(PROCESS)
    (directory / "config").write_text(
        f"[profile short]\ncredential_process = {sys.executable} {program} {directory / 'issued'} {good_for}\n"
    )
    return SdkKeys(Connection(profile="short"), AwsOptions())


def test_keys_that_are_about_to_end_are_renewed(tmp_path: Path) -> None:
    keys = configured(tmp_path, good_for=9)
    assert keys.renews
    first, second = keys.current(), keys.current()
    assert first.token.startswith("token-")
    assert second != first


def test_keys_that_have_ended_and_cannot_be_renewed_are_expired(tmp_path: Path) -> None:
    keys = configured(tmp_path, good_for=1)
    with pytest.raises(CredentialsError, match="The session has ended"):
        keys.current()
    with pytest.raises(CredentialsExpired, match=r"\.\.\.EY-1 has expired, and there is no other: .*The session has ended"):
        keys.renewed(Keys("KEY-1", "s", "token-1"))


def test_a_process_that_has_nothing_to_give_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"no usable credentials .*The session has ended"):
        configured(tmp_path, good_for=0)


def test_a_sign_in_that_was_made_meanwhile_is_found(tmp_path: Path) -> None:
    keys = configured(tmp_path, good_for=1)
    configured(tmp_path, good_for=9)
    worn = Keys("KEY-1", "s", "token-1")
    assert keys.renewed(worn) != worn


def test_keys_that_the_chain_gives_again_are_expired(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = KEY12345\naws_secret_access_key = secret\n")
    keys = SdkKeys(Connection(), AwsOptions())
    assert not keys.renews
    with pytest.raises(CredentialsExpired, match=r"\.\.\.2345 has expired"):
        keys.renewed(keys.current())
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = NEWKEY12\naws_secret_access_key = other\n")
    assert keys.renewed(Keys("KEY12345", "secret")) == Keys("NEWKEY12", "other")


def test_no_credentials_at_all_is_one_sentence() -> None:
    with pytest.raises(CredentialsError, match="There are no credentials"):
        SdkKeys(Connection(), AwsOptions())


def test_keys_do_not_show_their_secrets() -> None:
    assert repr(Keys("KEY12345", "secret", "token")) == "Keys(...2345)"
