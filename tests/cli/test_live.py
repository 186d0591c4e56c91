"""What is shown while a job runs: pace and words of the progress, and which files JSON Lines tell."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from s3tui.cli.json_lines import EndedRows
from s3tui.cli.progress import Pacer, bar, describe
from s3tui.model import Action, Desired, FileRow, FileState, Job, JobState, RowCounts, Totals, VideoPhase, VideoSample
from s3tui.service import JobSight

JOB = Job(1, "01JOB", "upload", JobState.RUNNING, Desired.RUN, "{}", False, True, Totals(), 100, 0)


def sight(*, planned: bool = True, **totals: int) -> JobSight:
    """A job with these counters, nothing in flight."""
    return JobSight(replace(JOB, planned=planned, totals=Totals(**totals)), (), ())


def test_the_time_left_follows_what_is_slower_bytes_or_files() -> None:
    by_bytes, by_files = Pacer(), Pacer()
    by_bytes.pace(sight(found=10, bytes_found=1000), 0.0)
    pace = by_bytes.pace(sight(found=10, uploaded=8, bytes_found=1000, bytes=200), 2.0)
    assert (pace.bytes_per_second, pace.files_per_second, pace.seconds_left) == (100.0, 4.0, 8.0)
    by_files.pace(sight(found=100, bytes_found=1000), 0.0)
    assert by_files.pace(sight(found=100, uploaded=10, bytes_found=1000, bytes=900), 1.0).seconds_left == 9.0


def test_no_time_left_is_promised_while_the_scan_runs_or_nothing_moves() -> None:
    pacer = Pacer()
    pacer.pace(sight(found=10, bytes_found=1000, planned=False), 0.0)
    assert pacer.pace(sight(found=10, uploaded=1, bytes_found=1000, bytes=100, planned=False), 1.0).seconds_left is None
    still = Pacer()
    still.pace(sight(found=10, bytes_found=1000), 0.0)
    assert still.pace(sight(found=10, bytes_found=1000), 1.0).seconds_left is None


def test_a_resumed_job_is_paced_by_what_moves_now() -> None:
    pacer = Pacer()
    pacer.pace(sight(found=100, uploaded=50, bytes_found=1000, bytes=500), 0.0)
    assert pacer.pace(sight(found=100, uploaded=51, bytes_found=1000, bytes=510), 1.0).bytes_per_second == 10.0


def test_the_line_names_retries_and_failures_only_when_there_are_any() -> None:
    calm = sight(found=3, uploaded=1, bytes_found=2048, bytes=1024)
    assert describe(calm, Pacer().pace(calm, 0.0)) == "1 of 3 files, 1.0 KiB of 2.0 KiB, 0 B/s, 0 files/s"
    rough = sight(found=3, failed=2, retries=1, planned=False)
    assert describe(rough, Pacer().pace(rough, 0.0)) == "2 of 3+ files, 0 B of 0 B+, 0 B/s, 0 files/s, 1 retry, 2 failed"


def test_before_the_first_file_is_found_the_line_says_what_is_waited_for() -> None:
    waiting = JobSight(replace(JOB, planned=False, totals=Totals(), spec='{"target": "s3://b/\\u001b"}'), (), ())
    assert describe(waiting, Pacer().pace(waiting, 0.0)) == r"asking s3://b/\x1b, and looking for files"


def test_an_ingest_counts_rows_and_the_bytes_that_have_landed() -> None:
    job = replace(JOB, kind="ingest", totals=Totals(found=2, uploaded=1, bytes=1024, bytes_found=4096))
    half = JobSight(job, (), (), rows=RowCounts(inserted=12_000, landed=1024))
    assert describe(half, Pacer().pace(half, 0.0)) == "12,000 rows, 2.0 KiB of 4.0 KiB, 0 B/s, 1 of 2 files"
    odd = replace(half, rows=RowCounts(inserted=1, rejected=1234))
    assert describe(odd, Pacer().pace(odd, 0.0)).startswith("1 rows, 1,234 rejected, 1.0 KiB of 4.0 KiB")


def test_a_job_that_watches_says_so_while_nothing_comes() -> None:
    pacer = Pacer()
    job = replace(JOB, spec='{"watch": true}', planned=False)
    idle = JobSight(replace(job, totals=Totals(found=4, uploaded=2, skipped=1, failed=1, bytes=2048)), (), ())
    pacer.pace(idle, 0.0)
    assert describe(idle, pacer.pace(idle, 75.0)) == "watching; 2 files stored, last one 1:15 ago, 2.0 KiB, 1 failed"
    films = JobSight(replace(job, kind="video", totals=Totals(found=1, uploaded=1, bytes=2048)), (), ())
    assert describe(films, pacer.pace(films, 75.0)) == "watching; 1 video made, last one 0:00 ago, 2.0 KiB"
    busy = JobSight(replace(job, totals=Totals(found=5, uploaded=2, skipped=1, failed=1)), (), ())
    assert describe(busy, pacer.pace(busy, 76.0)).startswith("4 of 5+ files")


class Ledger:
    """The files of a job; counts how many rows were read."""

    def __init__(self, count: int) -> None:
        self.states = [FileState.PLANNED] * count
        self.read = 0

    def window(self, first: int, count: int) -> list[FileRow]:
        page = [
            FileRow(number, b"%d" % number, "k", 1, state, Action.UPLOAD)
            for number, state in enumerate(self.states[first : first + count], first)
        ]
        self.read += len(page)
        return page

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self.states[number] = FileState.UPLOADED

    @property
    def ended(self) -> int:
        return sum(state is not FileState.PLANNED for state in self.states)


def test_each_file_is_told_once_in_whatever_order_they_end() -> None:
    ledger = Ledger(2_000)
    rows = EndedRows(ledger.window)
    told = []
    for numbers in ([1_700], [3, 1_200], [0], list(range(100, 1_100)), [999 + 500, 1], range(2_000)):
        ledger.end(*numbers)
        told += [row.no for row in rows.new(ledger.ended, {FileState.PLANNED})]
    assert sorted(told) == list(range(2_000))


def test_pages_told_to_their_end_are_never_read_again_and_silence_costs_no_read() -> None:
    ledger = Ledger(5_000)
    rows = EndedRows(ledger.window)
    for start in range(0, 5_000, 250):
        ledger.end(*range(start, start + 250))
        assert len(list(rows.new(ledger.ended, {FileState.PLANNED}))) == 250
        before = ledger.read
        assert list(rows.new(ledger.ended, {FileState.PLANNED})) == []
        assert ledger.read == before
    assert ledger.read <= 3 * 5_000


def test_files_that_are_found_later_are_told_too() -> None:
    ledger = Ledger(10)
    rows = EndedRows(ledger.window)
    ledger.end(*range(10))
    assert len(list(rows.new(10, {FileState.PLANNED}))) == 10
    ledger.states += [FileState.SKIPPED] * 1_000
    assert [row.no for row in rows.new(ledger.ended, {FileState.PLANNED})] == list(range(10, 1_010))


def bars(sight: JobSight) -> list[str]:
    """What is painted of a sight."""
    painted = StringIO()
    Console(width=100, file=painted).print(bar(sight, "words"))
    return [line.rstrip() for line in painted.getvalue().splitlines()]


def test_the_line_of_a_video_tells_its_phase_pace_and_segments() -> None:
    job = replace(JOB, kind="video", totals=Totals(found=1))
    video = VideoSample(0, VideoPhase.TRANSCODING, 21.0, 50.0, 2.5, 63.0, ("720p",), (18,), 2.0, "clip.mp4")
    one = JobSight(job, (), (), (video,))
    pace = Pacer().pace(one, 0.0)
    assert describe(one, pace) == "transcoding clip.mp4: 42%, 2.5x, 63 fps, 0:12 left, 18 segments"
    assert [line.split() for line in bars(one)[1:]] == [["720p", "━" * 17, "18", "segments", "on", "S3"]]
    late = JobSight(job, (), (), (video._replace(phase=VideoPhase.UPLOADING, made=50.0),))
    assert describe(late, pace) == "uploading clip.mp4: 100%, 18 segments"
    both = JobSight(replace(job, totals=Totals(found=2, failed=1)), (), (), (VideoSample(1, name="b\x1b.mp4"),))
    assert describe(both, pace) == r"probing b\x1b.mp4: 0%, 1 of 2 files, 1 failed"
