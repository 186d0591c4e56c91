"""What endpoints were found to support, on every database."""

from __future__ import annotations

from s3tui.model import now_ms
from s3tui.state.store import Store


def test_an_endpoint_that_was_never_probed_has_no_profile(store: Store) -> None:
    assert store.profiles.get("http://127.0.0.1:9000") is None


def test_the_newest_profile_of_an_endpoint_counts(store: Store) -> None:
    before = now_ms()
    store.profiles.put("http://127.0.0.1:9000", '{"trailers": false}')
    store.profiles.put("http://127.0.0.1:9000", '{"trailers": true}')
    store.profiles.put("https://elsewhere", "{}")
    assert store.profiles.get("http://127.0.0.1:9000") == '{"trailers": true}'
    with store.database.read() as connection:
        [(probed_at,)] = connection.rows("SELECT probed_at FROM profile WHERE endpoint = :e", e="http://127.0.0.1:9000")
    assert before <= probed_at <= now_ms()


def test_a_profile_that_is_a_month_old_does_not_count(store: Store) -> None:
    store.profiles.put("https://elsewhere", "{}")
    month = 30 * 24 * 3600 * 1000
    with store.database.write() as connection:
        connection.execute("UPDATE profile SET probed_at = :then", then=now_ms() - month + 60_000)
    assert store.profiles.get("https://elsewhere") == "{}"
    with store.database.write() as connection:
        connection.execute("UPDATE profile SET probed_at = :then", then=now_ms() - month)
    assert store.profiles.get("https://elsewhere") is None
