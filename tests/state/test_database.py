"""Opening, creating and refusing state databases."""

from __future__ import annotations

import signal
import socket
import sqlite3
import stat
import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from s3tui.errors import ConfigError, StateError, StateLost
from s3tui.state.postgresql import PostgreSQLServer
from s3tui.state.sqlite import Turn
from s3tui.state.store import Store
from tests.queues.forwarder import Forwarder
from tests.state.scenes import new_job
from tests.waiting import wait_until


def test_the_state_file_is_private(tmp_path: Path) -> None:
    Store("sqlite", tmp_path / "state").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()} == {0o600}


def test_a_second_opening_sees_what_the_first_wrote(state_url: str, tmp_path: Path) -> None:
    first = Store(state_url, tmp_path)
    job = new_job(first)
    first.close()
    second = Store(state_url, tmp_path)
    assert second.jobs.find(job.id)[0].spec == "{}"
    second.close()


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    job = new_job(store)
    with store.database.write() as connection:
        [(pages,)] = connection.rows("PRAGMA page_count")
        connection.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateError, match=r"full.*Free some disk space"):  # noqa: PT012 - whichever of them meets the end
        for _ in range(200):
            new_job(store)
    store.close()
    reopened = Store("sqlite", tmp_path)
    assert reopened.jobs.find(job.id)
    reopened.close()


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be created"):
        Store("sqlite", tmp_path / "file" / "state")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(StateError, match="cannot be used"):
        Store("sqlite", tmp_path)


@pytest.mark.parametrize("url", ["mysql://x", "nonsense", "postgresql:"])
def test_an_unknown_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"state\.url"):
        Store(url, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@127.0.0.1:1/nowhere",
        "postgresql://user:hunter2@host:port/nowhere",
        "postgresql://user:hunter2@127.0.0.1:1/nowhere?unheard_of=1",
        "postgresql://user@127.0.0.1:1/nowhere?password=hunter2",
        "postgresql://user:hunter2@hunter2@127.0.0.1:1/nowhere",
        "mysql://user:hunter2@127.0.0.1/nowhere",
    ],
)
def test_a_password_never_reaches_a_message(url: str, tmp_path: Path) -> None:
    with pytest.raises((StateError, ConfigError)) as caught:
        Store(url, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_with_the_cause(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"postgresql://user:\*{8}@127\.0\.0\.1:1/nowhere cannot be used: .*refused"):
        Store("postgresql://user:hunter2@127.0.0.1:1/nowhere", tmp_path)


def test_a_committed_fact_is_on_disk_before_the_call_returns(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "state.db") as other:
        job = new_job(store)
        assert other.execute("SELECT id FROM job").fetchall() == [(job.id,)]
    for transaction in (store.database.read, store.database.write):
        with transaction() as connection:
            assert connection.rows("PRAGMA synchronous") == [(2,)], "FULL"
    store.close()


def test_what_goes_wrong_in_the_middle_leaves_nothing_behind(state_store: Store) -> None:
    job = new_job(state_store)
    with pytest.raises(StateError), state_store.database.write() as connection:  # noqa: PT012 - the second one
        connection.execute("DELETE FROM job")
        connection.execute("DELETE FROM nothing")
    assert state_store.jobs.find(job.id)


def test_many_rows_are_inserted_whole_and_in_place(state_store: Store) -> None:
    rows = [(f"http://{number}", f"100 % of {number}?", number) for number in range(250)]
    with state_store.database.write() as connection:
        connection.insert("INSERT INTO profile (endpoint, profile, probed_at) VALUES (?, ?, ?)", rows)
    with state_store.database.read() as connection:
        query = "SELECT endpoint, profile, probed_at FROM profile ORDER BY probed_at"
        assert connection.rows(query) == rows
        assert list(connection.stream(query)) == rows
        assert connection.rows("SELECT count(*) FROM profile WHERE probed_at = ANY(:few)", few=[1, 2, 999]) == [(2,)]
        assert connection.rows("SELECT count(*) FROM profile WHERE probed_at <> ALL(:few)", few=[1, 2, 999]) == [(248,)]
        assert connection.rows("SELECT count(*) FROM profile WHERE probed_at = ANY(:few)", few=[]) == [(0,)]


def test_connections_that_the_server_has_closed_are_replaced(postgresql_url: str, tmp_path: Path) -> None:
    store = Store(postgresql_url, tmp_path)
    job = new_job(store)
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert store.jobs.find(job.id)
    store.close()


@contextmanager
def behind_forwarder(postgresql_url: str, *, patience: float) -> Iterator[tuple[PostgreSQLServer, Forwarder]]:
    address = urlsplit(postgresql_url)
    forwarder = Forwarder((address.hostname or "", address.port or 5432))
    through = postgresql_url.replace(f"{address.hostname}:{address.port}", f"127.0.0.1:{forwarder.port}")
    with closing(PostgreSQLServer(through, patience=patience)) as server:
        with server.read() as connection:
            connection.rows("SELECT 1")
        forwarder.cut()
        yield server, forwarder
    forwarder.cut()


def test_a_transaction_says_why_the_server_is_away_and_the_next_one_finds_it_back(postgresql_url: str) -> None:
    with behind_forwarder(postgresql_url, patience=0.2) as (server, forwarder):
        for _ in range(2):  # the first finds the connection lost, the second that there is no other one
            with pytest.raises(psycopg.OperationalError, match="refused"), server.read():
                pass
        forwarder.mend()
        with server.read() as connection:
            assert connection.rows("SELECT 1") == [(1,)]


def test_a_server_that_is_away_is_tried_again_all_the_time(postgresql_url: str) -> None:
    """The pool alone would try after 1, 3, 7, 15 and 31 s, and let a transaction wait so long for a server that is back."""
    with behind_forwarder(postgresql_url, patience=30) as (server, forwarder), ThreadPoolExecutor(1) as pool:

        def read() -> list[tuple[object, ...]]:
            with server.read() as connection:
                return connection.rows("SELECT 1")

        with socket.create_server(("127.0.0.1", forwarder.port)) as refusing:
            reading = pool.submit(read)
            refusing.settimeout(30)
            for _ in range(16):  # some come in pairs, with TLS and without
                refusing.accept()[0].close()
        forwarder.mend()
        assert reading.result() == [(1,)]


def test_a_process_that_froze_in_a_transaction_keeps_its_locks_for_a_minute_unless_people_say_otherwise(
    postgresql_url: str, tmp_path: Path
) -> None:
    chosen = f"{postgresql_url}?options=-c%20idle_in_transaction_session_timeout%3D100ms"
    for url, timeout in ((postgresql_url, "1min"), (chosen, "100ms")):
        with closing(Store(url, tmp_path)) as store, store.database.read() as connection:
            assert connection.rows("SHOW idle_in_transaction_session_timeout") == [(timeout,)]
            assert connection.rows("SHOW tcp_keepalives_idle") == [("30",)]


def test_who_wakes_from_it_finds_its_transaction_lost(postgresql_url: str, tmp_path: Path) -> None:
    chosen = f"{postgresql_url}?options=-c%20idle_in_transaction_session_timeout%3D100ms"
    with closing(Store(chosen, tmp_path)) as store, psycopg.connect(postgresql_url, autocommit=True) as admin:
        with pytest.raises(StateLost), store.database.write() as connection:  # noqa: PT012 - of all this, the last fails
            [(pid,)] = connection.rows("SELECT pg_backend_pid()")
            gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %s"
            wait_until(lambda: admin.execute(gone, [pid]).fetchall() == [(True,)], 20, "the server to end the transaction")
            connection.rows("SELECT 1")
        store.database.prove_writable()


def test_who_reads_a_stream_may_take_their_time(postgresql_url: str, tmp_path: Path) -> None:
    chosen = f"{postgresql_url}?options=-c%20idle_in_transaction_session_timeout%3D100ms"
    with closing(Store(chosen, tmp_path)) as store, store.database.read() as connection:
        stream = connection.stream("SELECT generate_series(1, 2000)")
        assert next(stream) == (1,)
        assert connection.rows("SHOW idle_in_transaction_session_timeout") == [("0",)]
        assert len([*stream]) == 1999


def test_a_writer_waits_for_no_more_than_those_who_asked_before_it() -> None:
    turn, stop, taken = Turn(), threading.Event(), 0

    def write_in_a_loop() -> None:
        nonlocal taken
        while not stop.is_set():
            with turn:
                taken += 1

    greedy = threading.Thread(target=write_in_a_loop)
    greedy.start()
    waits = []
    for _ in range(100):
        before = taken
        with turn:
            waits.append(taken - before)
    stop.set()
    greedy.join()
    assert statistics.median(waits) <= 2


def test_a_writer_that_is_interrupted_while_it_waits_gives_up_its_turn() -> None:
    turn, asked, go = Turn(), threading.Event(), threading.Event()

    def write_long() -> None:
        with turn:
            asked.set()
            go.wait(30)

    def interrupt(*_: object) -> None:
        raise InterruptedError

    busy = threading.Thread(target=write_long)
    busy.start()
    assert asked.wait(30)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptedError), turn:
            pass
    finally:
        signal.signal(signal.SIGALRM, before)
    go.set()
    busy.join()
    with turn:
        pass
