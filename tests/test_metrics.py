"""The metrics as Prometheus reads them: real scrapes, held against what the reports say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from s3tui.errors import ConfigError
from s3tui.events import Failed, PartStored, UploadIntended, UploadOpened
from s3tui.metrics import serve_metrics
from s3tui.model import FileState, Fingerprint, ObjectRef
from s3tui.report import job_facts
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.state.scenes import ANN, carry_all, claim, new_job, plan, planned, register, uploaded

Samples = dict[tuple[str, ...], float]


def scrape(url: str) -> Samples:
    """Every sample by its name and the values of its labels."""
    with urlopen(url, timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@contextmanager
def served(store: Store) -> Iterator[str]:
    """Where the metrics of a store can be scraped."""
    server = serve_metrics(store, version="1.2.3", host="127.0.0.1", port=0)
    yield server.url
    server.close()


def test_counters_agree_with_the_reports_added_up(state_store: Store) -> None:
    register(state_store, ANN)
    for spec_hash, size in (("first", 10), ("second", 25)):
        new_job(state_store, spec_hash=spec_hash)
        skip, bad = planned("s", state=FileState.SKIPPED, reason="not_a_file"), planned("b", state=FileState.FAILED, reason="bad")
        plan(state_store, [[planned("a", size), planned("c", size), skip, bad]])
        lease = claim(state_store)
        with state_store.database.write() as connection:
            write_facts(connection, lease, [uploaded(0, size, attempts=3), Failed(1, 5, "access_denied", "It was refused.")])
        state_store.units.finish(lease)
    with served(state_store) as url:
        samples = scrape(url)
    reports = [job_facts(job)["totals"] for job in state_store.jobs.newest(limit=9, before=None)]
    names = {
        "found": "s3tui_files_found_total",
        "uploaded": "s3tui_files_uploaded",
        "skipped": "s3tui_files_skipped_total",
        "failed": "s3tui_files_failed",
        "deleted": "s3tui_files_deleted_total",
        "bytes": "s3tui_uploaded_bytes_total",
        "retries": "s3tui_retries_total",
    }
    assert set(names) == set(reports[0])
    assert {field: samples[name, "upload"] for field, name in names.items()} == {
        field: sum(report[field] for report in reports) for field in names
    }
    assert samples["s3tui_jobs", "upload", "partial"] == 2
    assert samples["s3tui_jobs", "upload", "running"] == 0
    assert samples["s3tui_build_info", "1.2.3"] == 1


def test_what_moves_and_what_waits_is_told_by_queue(state_store: Store) -> None:
    register(state_store, ANN)
    new_job(state_store)
    plan(state_store, [[planned("a", 100)], [planned("b")], [planned("c")]])
    lease = claim(state_store)
    state_store.workers.beat(ANN.id, {"job": {"rate": 512, "active": [[0, 40, 100, 1, 512]]}})
    intended = UploadIntended(0, ObjectRef("b", "p/a"), 50, Fingerprint(100, 1, 2), "crc64nvme")
    with state_store.database.write() as connection:
        write_facts(connection, lease, [intended, UploadOpened(0, "id"), PartStored(0, 1, 50, "AAAA", "e")])
    with served(state_store) as url:
        samples = scrape(url)
        assert samples["s3tui_workers",] == 1
        assert samples["s3tui_transfers_in_flight",] == 1
        assert samples["s3tui_send_bytes_per_second",] == 512
        assert (samples["s3tui_units", "upload", "ready"], samples["s3tui_units", "upload", "leased"]) == (2, 1)
        assert (samples["s3tui_open_uploads",], samples["s3tui_open_upload_bytes",]) == (1, 50)
        carry_all(state_store, lease)
        after = scrape(url)
        assert (after["s3tui_units", "upload", "ready"], after["s3tui_units", "upload", "leased"]) == (2, 0)
        assert (after["s3tui_open_uploads",], after["s3tui_open_upload_bytes",]) == (0, 0)


def test_units_of_a_job_that_is_over_wait_for_nobody(state_store: Store) -> None:
    register(state_store, ANN)
    job = new_job(state_store)
    plan(state_store, [[planned("a")], [planned("b")]])
    state_store.jobs.fail(job.no, "no_such_bucket", "There is no such bucket.")
    with served(state_store) as url:
        assert ("s3tui_units", "upload", "ready") not in scrape(url)


def test_an_empty_database_has_metrics_of_no_kind(state_store: Store) -> None:
    with served(state_store) as url:
        samples = scrape(url)
    assert samples["s3tui_database_up",] == 1
    assert samples["s3tui_workers",] == 0
    assert not [key for key in samples if key[0].startswith("s3tui_files")]


def test_no_label_grows_with_the_files(state_store: Store) -> None:
    register(state_store, ANN)
    counts = []
    for count in (1, 500):
        new_job(state_store, spec_hash=str(count))
        plan(state_store, [[planned(f"{count}-{number}") for number in range(count)]])
        with served(state_store) as url:
            counts.append(len(scrape(url)))
        carry_all(state_store, claim(state_store))
    assert counts[0] == counts[1]


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with store.database.write() as connection:
        connection.execute("DROP TABLE part")
    with served(store) as url:
        samples = scrape(url)
    store.close()
    assert samples["s3tui_database_up",] == 0
    assert ("s3tui_workers",) not in samples


def test_an_address_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with served(store) as url:
        port = int(url.split(":")[2].partition("/")[0])
        with pytest.raises(
            ConfigError, match=rf"^Metrics cannot be served at 127\.0\.0\.1 port {port}: .*in use\. Choose another "
        ):
            serve_metrics(store, version="0", host="127.0.0.1", port=port)
    store.close()
