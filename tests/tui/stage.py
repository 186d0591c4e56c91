"""The program that output is tested with: the application over a seeded house, in which only keys move anything.

`python -m tests.tui.stage WORD...`: fast or plain is whose output it is, moving opens a job that every look finds further on,
unpaced does not wait for the terminal, brief makes 81 columns 80 in the very moment in which they are noticed.
"""

from __future__ import annotations

import sys
import termios
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from s3tui.tui.app import prepare_environment

prepare_environment()

from textual.binding import Binding, BindingType  # noqa: E402  (Textual reads the environment when it is imported)
from textual.driver import Driver  # noqa: E402
from textual.drivers.linux_driver import LinuxDriver  # noqa: E402

from s3tui.tui import application  # noqa: E402
from s3tui.tui.link import Link  # noqa: E402
from tests.tui.seeded import SeededHouse, SeededJob, SeededService, SeededSight, harbour, running  # noqa: E402

NAMES = ("港の灯台-写真.jpg", "cafe\u0301 e\u0301te\u0301.txt", "🚢 regatta 🌊.mp4", "Łódź – 'żagle'.tar.gz", "한국어 파일.parquet")
ADVANCE, SUSPEND = "\x1b[20~", "\x1b[19~"
"""F9 and F8."""
JOB = running().job.id


class BriefDriver(LinuxDriver):
    """Signals come while signals are handled: 81 columns have become 80 before anybody is told of the 81."""

    def _get_terminal_size(self) -> tuple[int, int]:
        width, height = super()._get_terminal_size()
        if width == 81:
            termios.tcsetwinsize(self.fileno, (height, 80))
        return width, height


class Stage(application.S3tuiApp):
    """F9 moves every running job, F8 suspends."""

    CSS_PATH = str(Path(application.__file__).with_name("s3tui.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "advance", priority=True), Binding("f8", "suspend_process")]

    def get_driver_class(self) -> type[Driver]:
        """What the words on the command line ask for."""
        return BriefDriver if "brief" in sys.argv else super().get_driver_class()

    def action_advance(self) -> None:
        """Files that are in flight end, others take off."""
        assert isinstance(self.house, SeededHouse)
        for job_id in [job.id for job in self.house.service.browse() if job.state == "running"]:
            self.house.service.advance(job_id)


class UntoldLink(Link):
    """A line that is not told to be slow, however busy this machine is: of two terminals only one may be."""

    @property
    def slow(self) -> bool:
        """Never."""
        return False


class MovingService(SeededService):
    """A door behind which the job has moved on whenever it is looked at."""

    looks = 0

    def watch(self, job_id: str) -> SeededSight:
        """The job page says which look this is."""
        self.looks += 1
        sight = super().watch(job_id)
        active = tuple(replace(sample, sent=sample.size * (self.looks % 100) // 100) for sample in sight.active)
        return replace(sight, job=replace(sight.job, error=f"look {self.looks}."), active=active)


def moving_house() -> SeededHouse:
    """A house with one job, which moves on."""
    house = SeededHouse()
    house.service = MovingService([running()])
    return house


def _name(job: SeededJob) -> None:
    for no, name in enumerate(NAMES, start=12):
        job.rows[no] = replace(job.rows[no], path=name.encode(), key=f"backups/{name}")


def main() -> int:
    """Run until it is left."""
    moving = "moving" in sys.argv
    house = moving_house() if moving else harbour()
    for seeded in house.service.jobs.values():
        if len(seeded.rows) > 20:
            _name(seeded)
    app = Stage(house, fps=20, fast_output="fast" in sys.argv, ack_pacing="unpaced" not in sys.argv, job=JOB if moving else None)
    if not moving:
        app.link = UntoldLink(asks=True)
    code = app.run()
    if app.failure is not None:
        raise app.failure
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
