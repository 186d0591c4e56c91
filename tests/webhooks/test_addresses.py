"""Which addresses a webhook may lead to."""

from __future__ import annotations

import socket

import pytest

from s3tui.errors import WebhookError
from s3tui.webhooks.addresses import addresses_of, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.10", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "fd00::1", "fc00::7"),  # loopback, private
        *("169.254.169.254", "fe80::1", "fe80::1%lo", "fec0::1"),  # link-local, where clouds keep credentials
        *("0.0.0.0", "0.1.2.3", "::"),  # unspecified, this network
        *("224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"),  # multicast
        *("240.0.0.1", "255.255.255.255", "100.64.0.1", "192.0.2.1", "2001:db8::1"),  # reserved, shared, examples
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),  # IPv4 in IPv6
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::"),  # by translators
    ],
)
def test_these_are_not_of_the_public_internet(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_these_are(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize("name", ["example.com", "2130706433", "0x7f.1", "127.1", ""])
def test_a_name_is_no_address(name: str) -> None:
    assert is_public(name) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "2130706433", "0x7f.1", "127.1"])
def test_whatever_leads_to_this_machine_is_refused_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(WebhookError, match=r"no address of the public internet: nothing was sent\. Set webhook\.allow_private"):
        addresses_of(host, 80, allow_private=False)
    families = {family for family, _ in addresses_of(host, 80, allow_private=True)}
    assert families <= {socket.AF_INET, socket.AF_INET6}
    assert families


def test_an_address_of_the_public_internet_is_where_to_connect_to() -> None:
    assert addresses_of("8.8.8.8", 8080, allow_private=False) == [(socket.AF_INET, ("8.8.8.8", 8080))]


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".test"])
def test_a_name_that_nobody_knows_is_told(host: str) -> None:
    with pytest.raises(WebhookError, match=r"host .* is not found: .* Check webhook\.url\."):
        addresses_of(host, 80, allow_private=True)
