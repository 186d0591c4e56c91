"""What Prometheus scrapes: figures of the state database, read when they are asked for, so that they agree with the reports.

Nothing is counted here, so every process that answers on the same database tells the same: scrape one of them. What only ever grows
is a counter, what can fall is a gauge (what failed may be sent again). Labels are kinds, states and queues, never files or keys;
a scrape reads rows of jobs, not of files, and so costs the same for a million of them.

Concurrency: each scrape has a thread of its own, and reads the store as any face does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from s3tui.errors import ConfigError, StateError
from s3tui.model import JobState, Totals
from s3tui.state.store import Store
from s3tui.state.sums import Sums, read_sums
from s3tui.state.workers import WorkerRow
from s3tui.text import display_text

_COUNTERS = {
    "found": ("s3tui_files_found", "Entries that scans have found, directories aside."),
    "skipped": ("s3tui_files_skipped", "Files that were left alone for a stated reason."),
    "deleted": ("s3tui_files_deleted", "Sources that were deleted after proof."),
    "bytes": ("s3tui_uploaded_bytes", "Bytes that were stored."),
    "retries": ("s3tui_retries", "Attempts beyond the first of each file."),
}
"""Fields of `Totals` that never fall."""

_GAUGES = {
    "uploaded": ("s3tui_files_uploaded", "Files that were stored; one whose proof fails is not."),
    "failed": ("s3tui_files_failed", "Files that have failed, and were not sent again since."),
    "bytes_found": ("s3tui_found_bytes", "Bytes of all that was found and is, or was, to be sent."),
}
"""Fields of `Totals` that may fall."""


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """An HTTP server in threads of its own."""

    url: str
    close: Callable[[], None]
    """Answer no further scrape."""


def serve_metrics(store: Store, *, version: str, host: str, port: int) -> MetricsServer:
    """Answer scrapes at this address; port 0 takes any that is free. Raises ConfigError if that cannot be."""
    try:
        server, thread = start_http_server(port, host, registry_of(store, version))
    except OSError as error:
        where = f"{display_text(host)} port {port}"
        raise ConfigError(
            f"Metrics cannot be served at {where}: {error.strerror or error}. Choose another --metrics-port, or --metrics-host."
        ) from error

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return MetricsServer(f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics", close)


def registry_of(store: Store, version: str) -> CollectorRegistry:
    """All there is to scrape, for whichever server answers."""
    registry = CollectorRegistry()
    registry.register(_Collector(store, version))
    return registry


def metrics_text(store: Store, version: str) -> tuple[bytes, str]:
    """All there is to scrape now, and its media type, for a server that is none of ours."""
    return generate_latest(registry_of(store, version)), CONTENT_TYPE_LATEST


class _Collector(Collector):
    def __init__(self, store: Store, version: str) -> None:
        self._store = store
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Every figure; of a database that cannot be read, only that."""
        yield InfoMetricFamily("s3tui_build", "The version that answers.", {"version": self._version})
        try:
            sums, workers = read_sums(self._store.database), self._store.workers.alive()
        except StateError:
            yield GaugeMetricFamily("s3tui_database_up", "Whether the state database can be read.", 0)
            return
        yield GaugeMetricFamily("s3tui_database_up", "Whether the state database can be read.", 1)
        yield from _jobs(sums)
        yield from _at_work(sums, workers)


def _jobs(sums: Sums) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("s3tui_jobs", "Jobs in each state.", labels=["kind", "state"])
    for kind in sums.totals:
        for state in JobState:
            jobs.add_metric([kind, state], sums.jobs.get((kind, state), 0))
    yield jobs
    for field, (name, about) in _COUNTERS.items():
        yield _by_kind(CounterMetricFamily(name, about, labels=["kind"]), sums.totals, field)
    for field, (name, about) in _GAUGES.items():
        yield _by_kind(GaugeMetricFamily(name, about, labels=["kind"]), sums.totals, field)


def _at_work(sums: Sums, workers: Sequence[WorkerRow]) -> Iterator[Metric]:
    """What moves now. Transfers and their rate are samples, a second old at most."""
    flights = [(worker, job_id) for worker in workers for job_id in worker.progress]
    in_flight = sum(len(worker.active(job_id)) for worker, job_id in flights)
    rate = sum(worker.rate(job_id) for worker, job_id in flights)
    yield GaugeMetricFamily("s3tui_workers", "Workers whose heart beats.", len(workers))
    yield GaugeMetricFamily("s3tui_transfers_in_flight", "Files that are being sent.", in_flight)
    yield GaugeMetricFamily("s3tui_send_bytes_per_second", "Bytes that leave for the store.", rate)
    units = GaugeMetricFamily("s3tui_units", "Units of jobs that wait for a worker, or are in work.", labels=["queue", "state"])
    for queue in sorted({*sums.ready, *sums.leased}):
        units.add_metric([queue, "ready"], sums.ready.get(queue, 0))
        units.add_metric([queue, "leased"], sums.leased.get(queue, 0))
    yield units
    yield GaugeMetricFamily("s3tui_open_uploads", "Multipart uploads that are neither completed nor aborted.", sums.open_uploads)
    yield GaugeMetricFamily("s3tui_open_upload_bytes", "Bytes that the store holds for them.", sums.open_upload_bytes)


def _by_kind(
    family: CounterMetricFamily | GaugeMetricFamily, totals: Mapping[str, Totals], field: str
) -> CounterMetricFamily | GaugeMetricFamily:
    for kind, counters in totals.items():
        family.add_metric([kind], getattr(counters, field))
    return family
