"""The way to Redis, with a real one at its end that refuses, hangs or is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.errors import LiveError
from s3tui.live.layout import Hash
from s3tui.live.line import Line
from tests.ports import free_port
from tests.redis_servers import RedisServer, listening
from tests.waiting import wait_until

HASH = Hash("s3tui:job:01J", {"id": "01J", "name": "hush-hush"}, 60_000)
PASSWORD = "pa55w0rd"


def write(line: Line) -> None:
    line.write([HASH], gone=["s3tui:worker:old"], messages=["hello"])


def test_hashes_are_written_with_their_time_to_live_and_what_is_gone_goes(redis_server: RedisServer) -> None:
    client = redis_server.client
    client.hset("s3tui:worker:old", mapping={"id": "old"})
    listener = listening(redis_server.url)
    write(Line(redis_server.url))
    assert (client.hgetall(HASH.key), client.keys()) == (HASH.fields, [HASH.key])
    assert 50_000 < int(str(client.pttl(HASH.key))) <= 60_000
    wait_until(lambda: (listener.get_message() or {}).get("data") == "hello", 20, "the message")


def test_a_name_that_is_not_utf8_is_escaped_as_in_reports(redis_server: RedisServer) -> None:
    Line(redis_server.url).write([HASH._replace(fields={"target": "s3://bucket/fi\udcff\n/"})], gone=[], messages=[])
    assert redis_server.client.hgetall(HASH.key) == {"target": "s3://bucket/fi\\udcff\n/"}


def test_nobody_there_is_an_error_with_its_cause() -> None:
    with pytest.raises(
        LiveError, match=r"^Live status cannot be written to the Redis at redis://127\.0\.0\.1:\d+: Connection refused\.$"
    ):
        write(Line(f"redis://127.0.0.1:{free_port()}"))


def test_a_server_that_hangs_is_given_up_and_the_next_write_is_not_mixed_up_with_its_answer(redis_server: RedisServer) -> None:
    line = Line(redis_server.url, seconds=0.2)
    write(line)
    redis_server.freeze()
    with pytest.raises(LiveError, match=r"there was no answer within 0\.2 seconds\.$"):
        write(line)
    redis_server.thaw()
    Line(redis_server.url).look()
    write(line)


def test_a_full_server_is_an_error_that_repeats_no_value(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.client.config_set("maxmemory", "1")
    with pytest.raises(LiveError, match=r"used memory > 'maxmemory'") as caught:
        write(Line(redis_server.url))
    assert "hush-hush" not in str(caught.value)
    with pytest.raises(LiveError, match=r"used memory > 'maxmemory'"):
        Line(redis_server.url).look()


def test_a_refused_password_is_an_error_that_does_not_repeat_it(tmp_path: Path, redis_server: RedisServer) -> None:
    redis_server.client.config_set("requirepass", PASSWORD)
    for url in (redis_server.url, f"redis://:{PASSWORD}x@127.0.0.1:{redis_server.port}"):
        with pytest.raises(LiveError, match=r"(?i)authentication|password") as caught:
            write(Line(url))
        assert PASSWORD not in str(caught.value)
    write(Line(f"redis://:{PASSWORD}@127.0.0.1:{redis_server.port}"))


def test_a_replica_that_takes_nothing_is_an_error(redis_server: RedisServer) -> None:
    redis_server.client.replicaof("127.0.0.1", str(free_port()))
    with pytest.raises(LiveError, match="read only replica"):
        write(Line(redis_server.url))
