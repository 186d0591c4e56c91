"""How a new job is to be done: the options of the form, those of its kind on top."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Label

from s3tui.errors import SpecError
from s3tui.jobs.options import PRESETS, SEGMENT_TYPES
from s3tui.jobs.upload import CHECKSUMS, IF_EXISTS
from s3tui.text import parse_rate
from s3tui.tui.prefill import Prefill
from s3tui.tui.widgets.dial import Dial

BACKUP, VIDEO, INGEST = "backup", "video", "ingest"
KINDS = ("upload", BACKUP, VIDEO, INGEST)


class JobOptions(Vertical):
    """Fields, one below the other; those that mean nothing for the kind of job are not there."""

    def __init__(self, prefill: Prefill) -> None:
        super().__init__(id="options")
        self._kind = KINDS[0]
        self._backup = backup = prefill.backup
        self.sources = Dial(("keep", "delete"), "delete" if backup.delete_after_upload else "keep", id="sources")
        self.emptied = Dial(("keep", "remove"), "remove" if backup.prune_empty_dirs else "keep", id="emptied")
        self._sources_field, self._emptied_field = field("Sources", self.sources), field("Empty dirs", self.emptied)
        self.if_exists = Dial(IF_EXISTS, id="if-exists")
        self.unchanged = Dial(("send", "skip"), id="unchanged")
        self.checksum = Dial(CHECKSUMS, prefill.checksum, id="checksum")
        self.watching = Dial(("no", "yes"), id="watch")
        self.include = Input(placeholder="all; or *.jpg *.png", id="include", compact=True)
        self.exclude = Input(placeholder="none; or *.tmp", id="exclude", compact=True)
        self.ignore_file = Input(placeholder="none; or a path", id="ignore-file", compact=True)
        self.hidden = Dial(("take", "leave out"), id="hidden")
        self.bandwidth = Input(prefill.bandwidth, placeholder="none; or 5MB/s", id="bandwidth", compact=True)
        self.at_once = Input(str(prefill.concurrency), type="integer", id="at-once", compact=True)
        self.attempts = Input(str(prefill.attempts), type="integer", id="attempts", compact=True)
        self.symlinks = Dial(("skip", "follow"), id="symlinks")
        self.odd_names = Dial(("fail", "percent"), id="odd-names")
        video = prefill.video
        self.ladder = Input(video.ladder, placeholder="auto; or 1080,720", id="ladder", compact=True)
        self.segments = Dial(SEGMENT_TYPES, video.segment_type, id="segments")
        self.seconds = Input(f"{video.segment_seconds:g}", type="number", id="seconds", compact=True)
        self.preset = Dial(PRESETS, video.preset, id="preset")
        self._video_fields = (
            field("Ladder", self.ladder),
            field("Segments", self.segments),
            field("Seconds each", self.seconds),
            field("Preset", self.preset),
        )
        ingest = prefill.ingest
        self.delimiter = Input(placeholder="auto; or ; or tab", id="delimiter", compact=True)
        self.quote = Dial(("auto", '"', "'", "none"), id="quote")
        self.encoding = Input(placeholder="auto; or utf-16", id="encoding", compact=True)
        self.header = Dial(("first row", "none"), id="header")
        self.schema = Input(placeholder="text; or a:integer", id="schema", compact=True)
        self.schema_file = Input(placeholder="none; or a path", id="schema-file", compact=True)
        self.table = Input(ingest.table, placeholder="ingest_rows", id="table", compact=True)
        self.rejects = Dial(("set aside", "fail the file"), "fail the file" if ingest.strict else "set aside", id="rejects")
        self.batch_rows = Input(str(ingest.batch_rows), type="integer", id="batch-rows", compact=True)
        self._ingest_fields = (
            field("Delimiter", self.delimiter),
            field("Quote", self.quote),
            field("Encoding", self.encoding),
            field("Header", self.header),
            field("Schema", self.schema),
            field("Schema file", self.schema_file),
            field("Table", self.table),
            field("Rejects", self.rejects),
            field("Batch rows", self.batch_rows),
        )
        self._plan_fields = (field("If it exists", self.if_exists), field("Unchanged", self.unchanged))
        self._odd_names_field, self._bandwidth_field = field("Odd names", self.odd_names), field("Bandwidth", self.bandwidth)
        self._file_fields = (
            field("Watch", self.watching),
            field("Include", self.include),
            field("Exclude", self.exclude),
            field("Ignore file", self.ignore_file),
            field("Hidden names", self.hidden),
            field("Symlinks", self.symlinks),
            self._odd_names_field,
            field("At once", self.at_once),
        )

    def compose(self) -> ComposeResult:
        """The fields."""
        yield self._sources_field
        yield self._emptied_field
        yield from self._video_fields
        yield from self._ingest_fields
        yield from self._plan_fields
        yield from self._file_fields
        yield self._bandwidth_field
        yield field("Attempts", self.attempts)
        yield field("Checksum", self.checksum)
        self._reveal()

    def show_kind(self, kind: str) -> None:
        """Show the options of this kind of job, as the configuration has them."""
        self._kind = kind
        self.symlinks.turn_to("follow" if kind == BACKUP and self._backup.follow_symlinks else "skip")
        self._reveal()

    def on_dial_turned(self) -> None:
        """Whether sources go decides what else there is to say."""
        self._reveal()

    def _reveal(self) -> None:
        self._sources_field.display = self._kind == BACKUP
        self._emptied_field.display = self._kind == BACKUP and self._deletes
        for line in self._video_fields:
            line.display = self._kind == VIDEO
        for line in self._ingest_fields:
            line.display = self._kind == INGEST
        for line in self._file_fields:
            line.display = self._kind not in (VIDEO, INGEST)
        for line in (*self._plan_fields, self._odd_names_field):
            line.display = self._kind not in (VIDEO, INGEST) and not self.watches
        self._bandwidth_field.display = self._kind != INGEST

    @property
    def _deletes(self) -> bool:
        return self.sources.value == "delete"

    @property
    def deletes(self) -> bool:
        """Whether sources go once their objects are proven."""
        return self._kind == BACKUP and self._deletes

    @property
    def watches(self) -> bool:
        """Whether the job is to go on with what comes, which no plan can show."""
        return self._kind not in (VIDEO, INGEST) and self.watching.value == "yes"

    def concurrency(self) -> int:
        """Transfers in flight. Raises SpecError."""
        return _number("At once", self.at_once.value)

    def bytes_per_second(self) -> int:
        """The limit; 0: there is none. Raises SpecError."""
        text = self.bandwidth.value.strip()
        try:
            return parse_rate(text) if text and self._kind != INGEST else 0
        except ValueError as error:
            raise SpecError(f"Bandwidth: {error}.") from error

    def spec_fields(self) -> dict[str, Any]:
        """The fields of the job's spec; files that they name (`schema_file`, `ignore_file`) are not read yet. Raises SpecError."""
        if self._kind == VIDEO:
            return self._video_spec_fields()
        if self._kind == INGEST:
            return self._ingest_spec_fields()
        planned = not self.watches
        fields = {
            "watch": self.watches,
            "if_exists": self.if_exists.value if planned else IF_EXISTS[0],
            "skip_unchanged": planned and self.unchanged.value == "skip",
            "checksum": self.checksum.value,
            "max_attempts": _number("Attempts", self.attempts.value),
            "follow_symlinks": self.symlinks.value == "follow",
            "encode_names": "percent" if planned and self.odd_names.value == "percent" else "",
            "rules": rules_of(self.include.value, self.exclude.value),
            "ignore_file": self.ignore_file.value.strip(),
            "hidden": self.hidden.value == "take",
        }
        if self._kind == BACKUP:
            fields |= {"delete_after_upload": self._deletes, "prune_empty_dirs": self.emptied.value == "remove"}
        return fields

    def _video_spec_fields(self) -> dict[str, Any]:
        return {
            "ladder": self.ladder.value.strip() or "auto",
            "segment_type": self.segments.value,
            "segment_seconds": _seconds(self.seconds.value),
            "preset": self.preset.value,
            "checksum": self.checksum.value,
            "max_attempts": _number("Attempts", self.attempts.value),
        }

    def _ingest_spec_fields(self) -> dict[str, Any]:
        return {
            "delimiter": self.delimiter.value if self.delimiter.value.isspace() else self.delimiter.value.strip(),
            "quote": "" if self.quote.value == "auto" else self.quote.value,
            "encoding": self.encoding.value.strip(),
            "header": self.header.value == "first row",
            "schema": self.schema.value.strip(),
            "schema_file": self.schema_file.value.strip(),
            "table": self.table.value.strip(),
            "strict": self.rejects.value == "fail the file",
            "batch_rows": _number("Batch rows", self.batch_rows.value),
            "checksum": self.checksum.value,
            "max_attempts": _number("Attempts", self.attempts.value),
        }


def field(label: str, *widgets: Widget) -> Horizontal:
    """A line of a form: what it is called, and where it is said."""
    return Horizontal(Label(label, markup=False), *widgets, classes="field")


def rules_of(include: str, exclude: str) -> tuple[tuple[str, str], ...]:
    """The rules of a spec: the last match wins, and everything is included to begin with."""
    wanted, unwanted = include.split(), exclude.split()
    first = [("exclude", "*")] if wanted else []
    return (*first, *(("include", glob) for glob in wanted), *(("exclude", glob) for glob in unwanted))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 60:
        raise SpecError(f"Seconds each must be a number from 1 to 60, not {text!r}.")
    return seconds


def _number(name: str, text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise SpecError(f"{name} must be a whole number above 0, not {text!r}.")
    return int(text)
