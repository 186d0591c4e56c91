"""Masking: what looks like a secret, what is known to be one, and what must stay as it is."""

from __future__ import annotations

import pytest

from s3tui.masking import MASK, hide, masked, passwords_in, shown_url

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + "0f" * 32


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: {AUTHORIZATION}", "0f0f"),
        (f"{{'Authorization': '{AUTHORIZATION}', 'Host': 'here'}}", "0f0f"),
        (f"authorization=b'{AUTHORIZATION}'", "0f0f"),
        (f"signed with {AUTHORIZATION}", "0f0f"),
        ("GET https://b.test/k?X-Amz-Expires=60&X-Amz-Signature=5ec2e7&x=1", "5ec2e7"),
        ("https://b.test/k?X-Amz-Security-Token=5ec2e7%2F", "5ec2e7"),
        ("{'x-amz-security-token': 'IQo5ec2e7=='}", "5ec2e7"),
        ('{"SecretAccessKey": "5ec2e7", "Expiration": "soon"}', "5ec2e7"),
        ("aws_secret_access_key = 5ec2e7", "5ec2e7"),
        ("aws_session_token=5ec2e7", "5ec2e7"),
        ("connect to postgresql://me:5ec2e7@db:5432/jobs failed", "5ec2e7"),
        ("proxy http://me:5e:c2@e7@proxy:3128", "c2"),
        ("reach https://5ec2e7@host:9000/x failed", "5ec2e7"),
        ("host=db password=5ec2e7 dbname=jobs", "5ec2e7"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in masked(text)
    assert MASK in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "PutObject s3://bucket/a@b/c:d failed: SignatureDoesNotMatch: the signature is wrong.",
        "http://127.0.0.1:9000/bucket/me@example.org",
        "X-Amz-Credential=AKID/20260101",
        "Write an @ in its password as %40.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_what_follows_a_masked_header_stays() -> None:
    assert masked(f"{{'Authorization': '{AUTHORIZATION}', 'Host': 'here'}}") == f"{{'Authorization': '{MASK}', 'Host': 'here'}}"


def test_a_known_secret_is_masked_wherever_it_stands_and_a_longer_one_as_a_whole() -> None:
    hide(["k3y+of/mine", "k3y+of/mine-and-more", ""])
    assert masked("xk3y+of/minex") == f"x{MASK}x"
    assert masked("(k3y+of/mine-and-more)") == f"({MASK})"
    assert masked("nothing of it") == "nothing of it"


def test_a_known_secret_as_short_as_a_word_hides_no_words() -> None:
    hide(["here"])
    assert masked("nothing is here") == "nothing is here"


@pytest.mark.parametrize(
    ("url", "shown", "passwords"),
    [
        ("postgresql://me:5ec2e7@db/jobs", f"postgresql://me:{MASK}@db/jobs", {"5ec2e7"}),
        ("postgresql://me:a/b@c@db/jobs", f"postgresql://me:{MASK}@db/jobs", {"a/b@c"}),
        ("postgresql://me:p%40ss@db/jobs", f"postgresql://me:{MASK}@db/jobs", {"p%40ss", "p@ss"}),
        ("postgresql://db/jobs?user=me&password=5ec2e7&x=1", f"postgresql://db/jobs?user=me&password={MASK}&x=1", {"5ec2e7"}),
        ("amqp://a:one@mq1/v;amqp://b:two@mq2/v", f"amqp://a:{MASK}@mq1/v;amqp://b:{MASK}@mq2/v", {"one", "two"}),
        ("redis://:5ec2e7@cache:6379", f"redis://:{MASK}@cache:6379", {"5ec2e7"}),
        ("sqlite", "sqlite", set()),
        ("postgresql://me@db:5432/jobs", "postgresql://me@db:5432/jobs", set()),
        ("https://5ec2e7@host/x", f"https://{MASK}@host/x", {"5ec2e7"}),
    ],
)
def test_a_url_is_shown_without_its_passwords(url: str, shown: str, passwords: set[str]) -> None:
    assert shown_url(url) == shown
    assert set(passwords_in(url)) == passwords
