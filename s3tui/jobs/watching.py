"""A job that watches its sources: what is new or has changed is planned as soon as it is at rest, until people stop the job.

    events ────────────▶ candidates ──two looks──▶ planned, with the units that carry it
    a pass over all ───▶     ▲  │ changed meanwhile, open for writing, earlier version still on its way
                             └──┘

Events only say where to look; a pass over all sources, once a minute and whenever events were lost, is what nothing escapes. What
has been taken stands in the database, so a job that was stopped or killed begins with a pass and takes nothing twice. Memory is
bounded: by the pages of a pass, and by the number of candidates. Sources that vanish are failures until they are back, and
files that vanish are nothing to do: what was stored stays stored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from s3tui.errors import SpecError
from s3tui.events import Planned
from s3tui.jobs.context import Context
from s3tui.jobs.intake import Intake
from s3tui.model import FileState, now_ms
from s3tui.transfer.at_rest import LIMIT, Candidate, Candidates, Sight, is_open_for_writing
from s3tui.transfer.judging import Judge
from s3tui.transfer.places import Place
from s3tui.transfer.plan import everything, look
from s3tui.transfer.watching import Deaf, OpenWatcher, Watcher, open_watcher

PASS_SECONDS = 60.0
"""What lies between the end of a pass over all sources and the next."""

_PASSES_SHARE = 10
"""Passes take at most one part in so many of the time: a huge tree is looked over less often, however many events are lost."""

_MOST_SETTLE_SECONDS = 3600
_PAGE = 1000
_LISTEN_SECONDS = 1.0
"""How often a pass listens for events."""


class WatchingSpec(Protocol):
    """What is asked of the spec of a job that watches."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Absolute paths."""

    @property
    def settle_seconds(self) -> float:
        """How long a file must have been quiet."""


def check_settling(seconds: float) -> None:
    """See that a file can be quiet for so long. Raises SpecError."""
    if not 0 < seconds <= _MOST_SETTLE_SECONDS:
        raise SpecError(f"--settle must be more than 0 and at most {_MOST_SETTLE_SECONDS} seconds, not {seconds:g}.")


def keep_planning(
    context: Context[WatchingSpec],
    intake: Intake,
    open_watcher: OpenWatcher = open_watcher,
    *,
    pass_seconds: float = PASS_SECONDS,
    limit: int = LIMIT,
) -> None:
    """Plan what the sources have and what comes to them, as the intake has it, until `control.stopping`.

    Raises StateError, LeaseLost.

    `limit`: candidates that are kept at a time.
    """
    watch = _Watch(context, intake, open_watcher, pass_seconds, limit)
    try:
        watch.run()
    finally:
        watch.close()


class _Watch:
    """One job at watching, under one lease."""

    def __init__(
        self, context: Context[WatchingSpec], intake: Intake, open_watcher: OpenWatcher, pass_seconds: float, limit: int
    ) -> None:
        spec = context.spec
        self._context = context
        self._intake = intake
        self._open_watcher = open_watcher
        self._pass_seconds = pass_seconds
        self._sources = [os.fsencode(source) for source in spec.sources]
        self._files = [Place(source) for source in self._sources]
        self._judges: list[Judge] = []
        self._candidates = Candidates(spec.settle_seconds, limit=limit)
        self._roots = _Roots([])
        self._watcher: Watcher = Deaf()
        self._missed = False
        """Whether something may have changed that no candidate stands for."""
        self._listened = 0.0
        """Seconds that were spent waiting for news."""

    def run(self) -> None:
        while not self._stopping:
            began = time.monotonic() - self._listened
            self._open()
            self._missed = False
            self._pass()
            ended = time.monotonic()
            taken = ended - self._listened - began
            soon = ended + max(self._context.spec.settle_seconds, _PASSES_SHARE * taken)
            self._follow(soon, max(soon, ended + self._pass_seconds))

    def close(self) -> None:
        self._watcher.close()

    @property
    def _stopping(self) -> bool:
        return self._context.control.stopping

    def _open(self) -> None:
        """Begin to listen, or go on: a source that is another directory than before has to be listened to anew."""
        roots = _Roots(self._sources)
        if roots.identities != self._roots.identities:
            self._watcher.close()
            self._roots = roots
            self._watcher = self._open_watcher(roots.present)

    def _deafen(self) -> None:
        """Events were lost: the next pass begins with a new watcher."""
        self._watcher.close()
        self._watcher, self._roots = Deaf(), _Roots([])
        self._missed = True

    def _follow(self, soon: float, late: float) -> None:
        """Go after events until it is `late`, or until `soon` if something was missed."""
        while not self._stopping and time.monotonic() < (soon if self._missed else late):
            self._listen()
            self._look_again()
            self._missed |= _Roots(self._sources).identities != self._roots.identities

    def _listen(self) -> None:
        """Take what the system tells for candidates; waits a moment."""
        began = time.monotonic()
        changed = self._watcher.changes()
        self._listened += time.monotonic() - began
        if changed is None:
            self._deafen()
            return
        for path in changed:
            for candidate in self._roots.candidates(path):
                self._missed |= not self._candidates.offer(candidate)

    # A pass over everything.

    def _pass(self) -> None:
        """Look at all that the sources have. What is not taken yet becomes a candidate, as fast as candidates come to rest."""
        listened = time.monotonic()
        self._judges = self._intake.judges(now_ms())
        for news in self._news(everything(self._judges)):
            for entry in news:
                if not self._offer(entry):
                    self._make_room()
                    self._missed |= not self._offer(entry)
            if self._stopping:
                return
            if time.monotonic() - listened > _LISTEN_SECONDS:
                self._listen()
                self._look_again()
                listened = time.monotonic()
        self._forgive()
        self._context.store.watched.went_round(self._context.lease)

    def _news(self, entries: Iterator[Planned]) -> Iterator[list[Planned]]:
        """The pages of a scan, reduced to what concerns the job and has not been taken as it is."""
        while page := list(islice(entries, _PAGE)):
            yield self._context.store.watched.news(self._context.lease, list(self._intake.rows(page)))

    def _offer(self, entry: Planned, *, restless: bool = False) -> bool:
        return self._candidates.offer(Candidate(entry.source_no, entry.path), Sight.of(entry), restless=restless)

    def _make_room(self) -> None:
        """Wait until the candidates have been looked at again; those that are not at rest then give way to others."""
        looked_at = time.monotonic() + self._context.spec.settle_seconds
        while not self._stopping and self._candidates.full:
            self._listen()
            self._look_again()
            if time.monotonic() > looked_at:
                self._candidates.let_go_of_restless()
                self._missed = True

    def _forgive(self) -> None:
        """Sources and directories that can be read again have failed no more."""
        context = self._context
        for no, source_no, path in context.store.watched.failed(context.lease):
            if self._stopping:
                return
            first = next(look(self._judges[source_no], path), None)
            if first is None or first.path != path:
                context.store.watched.forgive(context.lease, no)

    # The second look.

    def _look_again(self) -> None:
        """Look at the candidates whose time has come, and plan those that are at rest."""
        at_rest: list[Planned] = []
        for candidate, before in self._candidates.due():
            for entry in self._intake.rows(look(self._judges[candidate.source_no], candidate.path)):
                if self._stopping:
                    return
                if entry.path != candidate.path:  # a directory: what is in it stands for itself
                    self._missed |= not self._offer(entry)
                elif before == Sight.of(entry) and not self._is_being_written(entry):
                    at_rest.append(entry)
                else:
                    self._offer(entry, restless=before is not None)
        for unit in self._intake.units(at_rest):
            if self._stopping:
                return
            self._take(unit)

    def _is_being_written(self, entry: Planned) -> bool:
        return entry.state is FileState.PLANNED and is_open_for_writing(self._files[entry.source_no].of(entry.path))

    def _take(self, unit: Sequence[Planned]) -> None:
        context = self._context
        news = context.store.watched.news(context.lease, unit)
        if not news:
            return
        for late in context.store.watched.take(context.lease, self._intake.told_apart(news)):
            self._offer(late, restless=True)
        context.wake()


class _Roots:
    """The sources as they are now, and what an absolute path is among them."""

    def __init__(self, sources: Sequence[bytes]) -> None:
        self._names = [os.path.basename(source) for source in sources]  # noqa: PTH119 - paths are bytes
        self._real = [os.path.realpath(source) for source in sources]
        self._below = [os.path.join(path, b"") for path in self._real]  # noqa: PTH118
        self.identities = [_identity(path) for path in self._real]

    @property
    def present(self) -> list[bytes]:
        """Those that are there."""
        return [path for path, identity in zip(self._real, self.identities, strict=True) if identity is not None]

    def candidates(self, path: bytes) -> Iterator[Candidate]:
        """What a path is: a source that is a file goes by its base name."""
        for no, (root, below) in enumerate(zip(self._real, self._below, strict=True)):
            if path == root:
                yield Candidate(no, self._names[no])
            elif path.startswith(below):
                yield Candidate(no, path[len(below) :])


def _identity(path: bytes) -> tuple[int, int] | None:
    """Which directory or file it is; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev, status.st_ino
