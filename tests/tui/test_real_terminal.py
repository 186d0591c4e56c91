"""The whole way in a real terminal: the real program, the real worker, a real S3 server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.model import JobState
from s3tui.runtime import Runtime
from tests.front import FaultFront
from tests.servers import ACCESS_KEY, Store
from tests.terminal import Terminal
from tests.transfer.rides import MIB, filled
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)

ENTER, ESCAPE, SPACE, TAB, DOWN, RIGHT = "\r", "\x1b", " ", "\t", "\x1b[B", "\x1b[C"
UP, END, F4, F5 = "\x1b[A", "\x1b[F", "\x1bOS", "\x1b[15~"


@pytest.fixture
def place(rclone_store: Store) -> Iterator[tuple[Store, FaultFront]]:
    """A bucket, and a front before it."""
    with FaultFront(rclone_store.url) as front:
        yield rclone_store, front


@pytest.fixture
def environment(tmp_path: Path, place: tuple[Store, FaultFront]) -> Iterator[dict[str, str]]:
    """What the program is started with; ends the worker that it leaves behind."""
    store, front = place
    yield {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": store.secret,
        "AWS_ENDPOINT_URL": front.url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "S3TUI_S3__ADDRESSING_STYLE": "path",
    }
    with Runtime(Settings()) as runtime:
        for worker in runtime.service.workers():
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)
        wait_until(lambda: not runtime.service.workers(), timeout=30, what="the worker to end")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of small files."""
    for folder in ("alpha", "beta", "gamma"):
        for number in range(8):
            path = tmp_path / "tree" / folder / f"file-{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{folder} {number}\n" * 50)
    return tmp_path / "tree"


def expected(tree: Path, *folders: str) -> dict[str, bytes]:
    """The objects that an upload of these folders makes, below `in/`."""
    return {f"in/{path.name}": path.read_bytes() for folder in folders for path in sorted((tree / folder).iterdir())}


def test_folders_are_picked_planned_applied_and_watched_by_keys_alone(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, _ = place
    (tree / "beta").rename(tree / "beta2")
    for path in (tree / "beta2").iterdir():
        path.rename(path.with_name(f"b-{path.name}"))
    with Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press("\x1b[Z")  # back from the button, over the options, to the tree: shift+tab
        for _ in range(13):
            terminal.press("\x1b[Z")
        terminal.press(DOWN)
        terminal.until_seen("▌ [ ] ▸ beta2/")
        terminal.press(SPACE)
        terminal.until_seen("2 marked: alpha, beta2")
        terminal.press("\x12")  # ctrl+r
        terminal.until_seen("◇ planned", timeout=40)
        terminal.until_seen("16 new")
        terminal.press(ENTER)
        terminal.until_seen("✓ completed", timeout=40)
        terminal.until_seen("16 of 16 files")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    assert store.contents() == expected(tree, "alpha", "beta2")


def listing_processes(parent: int) -> list[str]:
    """The children of a process that list targets."""
    found = [path for path in Path("/proc").glob("[0-9]*") if f"PPid:\t{parent}\n" in text_of(path / "status")]
    return [path.name for path in found if "s3tui.storage.browsing" in text_of(path / "cmdline")]


def press_until(terminal: Terminal, key: str, text: str) -> None:
    """Press a key that does no harm until a text is on the screen: a list gets the focus a moment after it was asked to."""

    def pressed() -> bool:
        terminal.press(key)
        return text in terminal.text()

    wait_until(pressed, 30, f"{text!r} after a key")


def text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_a_target_is_browsed_sources_are_ranged_and_both_are_places_then(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, _ = place
    for path in (tree / "beta").iterdir():
        path.rename(path.with_name(f"b-{path.name}"))
    store.client().put_object(Bucket=store.bucket, Key="old/thing", Body=b"x")
    with Terminal(["-m", "s3tui"], environment, directory=tree) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.press("n")
        terminal.until_seen("▸ alpha/")
        terminal.press(F4)
        terminal.until_seen("▌ ▸ bucket-")
        assert len(listing_processes(terminal.process.pid)) == 1
        terminal.press("/")
        terminal.until_seen("part of a name")
        terminal.press(store.bucket, ENTER)
        terminal.until_seen(f"▌ ▸ {store.bucket}")
        press_until(terminal, RIGHT, "▸ old/")
        terminal.press("n")
        terminal.until_seen("a new prefix")
        terminal.press("new place", ENTER)
        terminal.until_seen(f"s3://{store.bucket}/new place/")
        wait_until(lambda: not listing_processes(terminal.process.pid), what="the process that lists to end")
        terminal.press(TAB, TAB)
        press_until(terminal, END, "▌ [ ] ▸ gamma/")
        terminal.press(UP, "v", UP)
        terminal.until_seen("2 names in the range")
        terminal.press("v", "S")
        terminal.until_seen("2 marked: alpha, beta")
        terminal.until_seen("in 16 files")
        terminal.press("\x12")  # ctrl+r
        terminal.until_seen("16 new", timeout=40)
        terminal.press(ENTER)
        terminal.until_seen("16 of 16 files", timeout=40)  # of its page: the list of jobs is below it, and seen for a moment
        terminal.press(ESCAPE)
        terminal.until_seen("From → to")
        terminal.press("n")
        terminal.until_seen("▸ alpha/")
        terminal.press(F5)
        terminal.until_seen(f"Recent target  s3://{store.bucket}/new place/")
        terminal.until_seen("Recent source")
        terminal.press("G", ENTER)
        terminal.until_seen("Folder")
        terminal.until_seen(f"s3://{store.bucket}/new place/")
        terminal.press(ESCAPE)
        terminal.until_seen("From → to")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    wanted = {f"new place/{path.name}": path.read_bytes() for folder in ("alpha", "beta") for path in (tree / folder).iterdir()}
    assert store.contents() == {"old/thing": b"x", **wanted}


def test_a_job_that_watches_is_started_from_the_form(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, _ = place
    with Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        for _ in range(11):
            terminal.press("\x1b[Z")  # shift+tab
        terminal.press(RIGHT)
        terminal.until_seen("Watch        ‹ yes ›")
        terminal.press("\x12")  # ctrl+r
        terminal.until_seen("Start without a plan?")
        terminal.press("y")
        terminal.until_seen("watching", timeout=40)
        terminal.until_seen("8 of 8+ files", timeout=40)
        (tree / "alpha" / "late.txt").write_text("late")
        wait_until(lambda: "in/late.txt" in store.contents(), 40, "the new file to be stored")
        terminal.press("x")
        terminal.until_seen("Cancel this job?")
        terminal.press("y")
        terminal.until_seen("× cancelled", timeout=40)


def test_a_backup_asks_once_and_deletes_what_it_has_proven(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, _ = place
    wanted = expected(tree, "alpha")
    with (
        (tree / "alpha" / "file-3.txt").open("a"),
        Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal,
    ):
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press(TAB)  # from the button over to the first field
        terminal.press(RIGHT)
        terminal.until_seen("Sources      ‹ keep ›")
        for key in (TAB, TAB, TAB, TAB, RIGHT):
            terminal.press(key)
        terminal.until_seen("Empty dirs   ‹ remove ›")
        terminal.press("\x12")  # ctrl+r
        terminal.until_seen("After proof, 8 sources", timeout=40)
        terminal.until_seen("8 new")
        terminal.press(ENTER)
        terminal.until_seen("Delete 8 files")
        assert len(list((tree / "alpha").iterdir())) == 8
        terminal.press("y")
        terminal.until_seen("! partial", timeout=40)
        terminal.until_seen("7 of 7 deleted")
        terminal.until_seen("⌫ deleted  file-0.txt")
        terminal.until_seen("open for write")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    assert store.contents() == wanted
    assert [path.name for path in (tree / "alpha").iterdir()] == ["file-3.txt"]


def test_r_sends_a_failed_file_again(tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]) -> None:
    store, front = place
    front.fail("PutObject", "file-3", status=403, code="AccessDenied")
    with Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press(ENTER)
        terminal.until_seen("◇ planned", timeout=40)
        terminal.press(ENTER)
        terminal.until_seen("! partial", timeout=40)
        terminal.press("4")
        terminal.until_unseen("file-0")
        terminal.until_seen("access denied")
        terminal.press("r")
        terminal.until_seen("✓ completed", timeout=40)
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    assert store.contents() == expected(tree, "alpha")


def test_failures_are_read_by_cause_and_sent_again_group_by_group(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, front = place
    front.fail("PutObject", "file-[35]", status=403, code="AccessDenied", times=2)
    front.fail("PutObject", "file-6", status=400, code="InvalidArgument")
    with Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press(ENTER)
        terminal.until_seen("◇ planned", timeout=40)
        terminal.press(ENTER)
        terminal.until_seen("! partial", timeout=40)
        terminal.press("4")
        terminal.until_seen("F groups them by cause")
        terminal.press("F")
        terminal.until_seen("failed, for 2 causes.")
        terminal.until_seen("▌ ✗ access denied")
        terminal.press(ENTER)
        terminal.until_seen("access denied 2")
        terminal.until_seen("✗ failed   file-5.txt")
        terminal.until_unseen("file-6.txt")
        terminal.press(ESCAPE)
        terminal.until_seen("failed, for 2 causes.")
        terminal.press("r")
        terminal.until_seen("failed, for 1 cause.", timeout=40)
        terminal.press("R")
        terminal.until_seen("Nothing failed.", timeout=40)
        terminal.press(ESCAPE)
        terminal.until_seen("✓ completed", timeout=40)
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    assert store.contents() == expected(tree, "alpha")


def test_a_job_is_limited_and_cancelled_with_what_it_had_begun(
    tmp_path: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, front = place
    (tmp_path / "big").write_bytes(filled(40 * MIB))
    gate = front.hold("UploadPart", "#[3-9]$", times=99)
    arguments = ["-m", "s3tui", "tui", str(tmp_path / "big"), f"s3://{store.bucket}/in"]
    with Terminal(arguments, environment | {"S3TUI_TRANSFER__PART_SIZE": "5MiB"}) as terminal:
        terminal.until_seen("[x]   big")
        terminal.press(ENTER)
        terminal.until_seen("◇ planned", timeout=40)
        terminal.press(ENTER)
        wait_until(lambda: gate.arrived.is_set() and front.accepted["UploadPart", "in/big"] == 2, 40, "two parts to be stored")
        with Runtime(Settings()) as runtime:
            [job] = runtime.service.browse()
            wait_until(lambda: [len(upload.parts) for upload in runtime.service.open_uploads(job)] == [2], 10, "them to be known")
        terminal.press("b")
        terminal.until_seen("There is no limit now.")
        terminal.press("20MiB", ENTER)
        terminal.until_seen("of 20MiB/s")
        terminal.press("x")
        terminal.until_seen("One unfinished upload (10.0 MiB)")
        terminal.press("y")
        terminal.until_seen("× cancelled", timeout=40)
        with Runtime(Settings()) as runtime:
            [job] = runtime.service.browse()
            assert job.bandwidth == 20 * MIB
            wait_until(lambda: not runtime.service.open_uploads(job), 40, "the upload to be removed")
        assert "in/big" not in store.open_uploads()
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")


def test_csv_files_are_looked_at_ingested_and_their_rejects_found(
    tmp_path: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, _ = place
    (tmp_path / "people.csv").write_text("id;name\n1;Ada\n2\n3;\x1b[2JGrace\n")
    with Terminal(["-m", "s3tui", "tui", str(tmp_path / "people.csv"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x]   people.csv")
        terminal.press(TAB)  # from the button over to the first field
        terminal.press(RIGHT, RIGHT, RIGHT)
        terminal.until_seen("‹ ingest ›")
        terminal.press("\x12")  # ctrl+r
        terminal.until_seen("2 rows, 1 rejected: 1 too few fields", timeout=40)
        terminal.until_seen("id integer, name text")
        terminal.until_seen("\\x1b[2JGrace")
        terminal.until_seen("Would be rejected: 1 too few fields.")
        terminal.press(ENTER)
        terminal.until_seen("! partial", timeout=40)
        terminal.until_seen("3 rows read   2 inserted   1 rejected")
        terminal.until_seen("Rejected: 1 too few fields.")
        terminal.press("i")
        terminal.until_seen("rejects.csv")
        terminal.press("e")
        terminal.until_seen("people.csv: 1 rejected.")
        terminal.until_seen("3 too few fields   2")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
    assert sorted(key.rpartition("/")[2] for key in store.contents()) == ["batch-000001.json", "rejects.csv"]


def test_a_terminal_that_hangs_up_ends_the_ui_and_the_job_goes_on(
    tree: Path, place: tuple[Store, FaultFront], environment: dict[str, str]
) -> None:
    store, front = place
    gate = front.hold("PutObject", "file-5")
    with Terminal(["-m", "s3tui", "tui", str(tree / "alpha"), f"s3://{store.bucket}/in"], environment) as terminal:
        terminal.until_seen("[x] ▸ alpha/")
        terminal.press(ENTER)
        terminal.until_seen("◇ planned", timeout=40)
        terminal.press(ENTER)
        wait_until(gate.arrived.is_set, timeout=40, what="the upload to be in the middle")
        terminal.until_seen("▸ running")
        began = time.monotonic()
        terminal.hang_up()
        wait_until(lambda: terminal.process.poll() is not None, what="the program to end")
        assert time.monotonic() - began < 3
        assert terminal.process.returncode == 129
    gate.open()
    with Runtime(Settings()) as runtime:
        wait_until(lambda: runtime.service.browse()[0].state is JobState.COMPLETED, timeout=40, what="the job to complete")
    with Terminal(["-m", "s3tui"], environment) as terminal:
        terminal.until_seen("✓ completed")
    assert store.contents() == expected(tree, "alpha")


def test_an_idle_screen_writes_nothing(environment: dict[str, str]) -> None:
    with Terminal(["-m", "s3tui"], environment) as terminal:
        terminal.until_seen("No jobs yet")
        settled = [0, time.monotonic()]

        def quiet_for_a_while() -> bool:
            if terminal.written != settled[0]:
                settled[:] = [terminal.written, time.monotonic()]
            return time.monotonic() - settled[1] > 2.5

        wait_until(quiet_for_a_while, timeout=20, what="two seconds and a half without a byte")


def test_sigterm_ends_the_ui_in_order(environment: dict[str, str]) -> None:
    with Terminal(["-m", "s3tui"], environment) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.process.terminate()
        wait_until(lambda: terminal.process.poll() == 130, what="the program to end")
        assert "Traceback" not in terminal.text()


def test_a_small_terminal_works(environment: dict[str, str], tree: Path) -> None:
    with Terminal(["-m", "s3tui", "tui", str(tree), "s3://b/x"], environment, columns=40, lines=12) as terminal:
        terminal.until_seen("Show the plan")
        terminal.press(ESCAPE)
        terminal.until_seen("No jobs yet")
        terminal.press("q")
        wait_until(lambda: terminal.process.poll() == 0, what="the program to end")
