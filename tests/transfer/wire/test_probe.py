"""Getting to know a store: each server's own profile, found by questions that leave nothing behind, and remembered."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from s3tui.model import Policy
from s3tui.state.store import Store as State
from s3tui.storage.profile import AMAZON, Profile, packed, signs_bodies
from s3tui.storage.site import Site, site_of
from s3tui.transfer.checksums import ALGORITHMS, digest_of
from s3tui.transfer.route import Route, open_route
from s3tui.transfer.wire.conduct import conduct_for, known_profile
from s3tui.transfer.wire.engine import WireEngine
from s3tui.transfer.wire.probe import BODY, OTHER, RIGHT, WRONG
from tests.front import FaultFront
from tests.scripted import Call, ScriptedServer
from tests.servers import Store
from tests.transfer.rides import Ride, filled, transfers_of, written
from tests.transfer.wire.conftest import OpenWire

pytestmark = pytest.mark.thorough(one_in=5)

ALL = tuple(ALGORITHMS)
PROFILES = {
    "rclone": Profile(takes_checksums=True, checks_md5=True, takes_unsigned=True, takes_trailers=True),
    "moto": Profile(takes_checksums=True, takes_unsigned=True, takes_trailers=True, keeps_conditions=True),
    "radosgw": Profile(takes_checksums=True, checks_signature=True, checks_md5=True, takes_unsigned=True, keeps_conditions=True),
}


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State("sqlite", tmp_path / "state")


def route_to(store: Store, state: State) -> Route:
    return open_route(store.connection, store.aws, store.bucket, choice="wire", concurrency=4, profiles=state.profiles)


def test_the_questions_have_the_checksums_of_their_bodies() -> None:
    assert {name: digest_of(algorithm, BODY) for name, algorithm in ALGORITHMS.items()} == RIGHT
    assert {name: digest_of(algorithm, OTHER) for name, algorithm in ALGORITHMS.items()} == WRONG


def test_each_store_is_known_for_what_it_is_and_nothing_is_left_there(store: Store, state: State) -> None:
    route = route_to(store, state)
    profile = route.profile(20)
    route.engine.close()
    assert profile == PROFILES[store.name]
    assert (store.contents(), store.open_uploads()) == ({}, [])


def test_a_store_is_asked_once_and_remembered(store: Store, front: FaultFront, state: State) -> None:
    for _ in range(2):
        route = route_to(store.behind(front), state)
        assert route.profile(20) == PROFILES[store.name]
        route.engine.close()
    assert front.count("CreateMultipartUpload") == 1


def test_the_first_run_asks_by_itself(store: Store, state: State, tmp_path: Path) -> None:
    route = route_to(store, state)
    Ride(route.engine, transfers_of(store.bucket, written(tmp_path, {"key": b"contents"}))).carry()
    route.engine.close()
    assert state.profiles.get(store.url) == packed(PROFILES[store.name])
    assert (store.contents(), store.open_uploads()) == ({"key": b"contents"}, [])


def test_what_a_probe_that_was_killed_has_left_is_removed_by_the_next(store: Store, front: FaultFront, state: State) -> None:
    gate = front.hold("UploadPart", times=99)
    killed = route_to(store.behind(front), state)
    assert killed.acquaintance is not None
    killed.acquaintance.begin()
    assert gate.arrived.wait(20)
    assert len(store.open_uploads()) == 1
    assert isinstance(killed.engine, WireEngine)
    killed.engine.office.close()  # its crew is gone, and nobody tidies up
    gate.times = 0
    gate.open()
    left = state.profiles.get(front.url)
    assert left is not None
    assert "probing" in left
    route = route_to(store.behind(front), state)
    assert route.profile(20) == PROFILES[store.name]
    route.engine.close()
    assert (store.contents(), store.open_uploads()) == ({}, [])


def test_what_a_probe_may_not_remove_is_removed_by_the_next(store: Store, front: FaultFront, state: State) -> None:
    removal = "AbortMultipartUpload" if PROFILES[store.name].keeps_conditions else "DeleteObject"
    front.fail(removal, status=403, code="ExpiredToken", times=2)  # the probe tries twice
    route = route_to(store.behind(front), state)
    assert route.profile(20) is None
    route.engine.close()
    assert "probing" in (state.profiles.get(front.url) or "")
    assert store.contents() or store.open_uploads()
    again = route_to(store.behind(front), state)
    assert again.profile(20) == PROFILES[store.name]
    again.engine.close()
    assert (store.contents(), store.open_uploads()) == ({}, [])


def test_a_store_that_lets_nobody_ask_is_served_as_an_unknown_one(
    store: Store, front: FaultFront, state: State, tmp_path: Path
) -> None:
    front.fail("CreateMultipartUpload", status=403, code="AccessDenied", times=99)
    route = route_to(store.behind(front), state)
    ride = Ride(route.engine, transfers_of(store.bucket, written(tmp_path, {"key": b"contents"}))).carry()
    assert route.profile(20) is None
    route.engine.close()
    assert set(ride.uploaded) == {0}
    assert store.contents() == {"key": b"contents"}


def test_amazon_is_known_to_everybody(state: State) -> None:
    assert known_profile(_site("https://bucket.s3.eu-west-3.amazonaws.com"), state.profiles) is AMAZON
    assert known_profile(_site("https://s3.example.com"), state.profiles) is None


def test_a_profile_that_another_version_wrote_is_asked_for_anew(state: State) -> None:
    site = _site("https://s3.example.com")
    state.profiles.put(site.endpoint, json.dumps({"flies": True}))
    assert known_profile(site, state.profiles) is None
    state.profiles.put(site.endpoint, packed(PROFILES["rclone"]))
    assert known_profile(site, state.profiles) == PROFILES["rclone"]


@pytest.mark.parametrize(
    ("endpoint", "profile", "signed", "md5"),
    [
        ("https://s3.example.com", None, ALL, ()),
        ("https://s3.example.com", PROFILES["moto"], (), ()),
        ("https://s3.example.com", PROFILES["rclone"], (), ALL),
        ("https://s3.example.com", PROFILES["radosgw"], ALL, ()),
        ("https://s3.example.com", AMAZON, (), ()),
        ("https://s3.example.com", AMAZON._replace(checks=("crc32",)), ("crc64nvme", "crc32c", "sha256"), ()),
        ("https://s3.example.com", AMAZON._replace(takes_unsigned=False), ALL, ()),
        ("http://127.0.0.1:9000", PROFILES["rclone"], (), ALL),
        ("http://s3.example.com", PROFILES["rclone"], ALL, ALL),  # somebody on the way could change body and checksum alike
        ("http://s3.example.com", AMAZON, ALL, ()),
    ],
)
def test_the_strongest_proof_that_a_store_gives_is_asked_of_it(
    endpoint: str, profile: Profile | None, signed: tuple[str, ...], md5: tuple[str, ...]
) -> None:
    conduct = conduct_for(_site(endpoint), profile)
    assert set(conduct.signed) == set(signed)
    assert set(conduct.md5) == set(md5)


def test_md5_is_sent_where_it_is_what_the_store_checks(open_wire: OpenWire, tmp_path: Path) -> None:
    content = filled(1000)

    def take(call: Call) -> None:
        call.read_body()
        call.answer()

    with ScriptedServer(take) as server:
        engine = open_wire(server.url)
        engine.office.take_conduct(conduct_for(engine.office.site, PROFILES["rclone"]))
        Ride(engine, transfers_of("bucket", written(tmp_path, {"key": content})), Policy(checksum="sha256")).carry()
        [call] = server.calls
    assert call.header("content-md5") == base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    assert call.header("x-amz-checksum-sha256") == base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert call.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"


def test_bytes_that_are_spoilt_on_their_way_are_refused_by_every_store_that_checks_anything(
    store: Store, state: State, tmp_path: Path
) -> None:
    if store.name == "moto":
        pytest.skip("moto checks nothing")
    with FaultFront(store.url) as front:
        front.spoil("PutObject", "^key$")
        route = route_to(store.behind(front), state)
        assert route.profile(20) is not None
        transfers = transfers_of(store.bucket, written(tmp_path, {"key": filled(100_000)}))
        ride = Ride(route.engine, transfers).carry()
        route.engine.close()
        assert front.requests["PutObject", "key"] == 2
    assert ride.uploaded[0].attempts == 2
    assert store.contents() == {"key": filled(100_000)}


def test_a_body_is_left_unsigned_only_where_that_is_safe() -> None:
    assert signs_bodies(_site("http://192.0.2.1"), AMAZON, "crc64nvme")
    assert not signs_bodies(_site("http://localhost:9000"), AMAZON, "crc64nvme")
    assert not signs_bodies(_site("http://[::1]:9000"), AMAZON, "crc64nvme")
    assert not signs_bodies(_site("https://s3.example.com"), AMAZON, "crc64nvme")
    assert signs_bodies(_site("https://s3.example.com"), None, "crc64nvme")


def _site(endpoint: str) -> Site:
    site = site_of(endpoint, "us-east-1", virtual=False)
    assert site is not None
    return site
