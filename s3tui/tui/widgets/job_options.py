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
        self.only = Input(placeholder="all; or *.jpg *.png", id="only", compact=True)
        self.but = Input(placeholder="none; or *.tmp", id="but", compact=True)
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
        self._file_fields = (
            field("If it exists", self.if_exists),
            field("Unchanged", self.unchanged),
            field("Only names", self.only),
            field("But not", self.but),
            field("At once", self.at_once),
            field("Symlinks", self.symlinks),
            field("Odd names", self.odd_names),
        )

    def compose(self) -> ComposeResult:
        """The fields."""
        yield self._sources_field
        yield self._emptied_field
        yield from self._video_fields
        yield from self._ingest_fields
        yield from self._file_fields[:2]
        yield field("Checksum", self.checksum)
        yield from self._file_fields[2:5]
        yield field("Attempts", self.attempts)
        yield from self._file_fields[5:]
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

    @property
    def _deletes(self) -> bool:
        return self.sources.value == "delete"

    def concurrency(self) -> int:
        """Transfers in flight. Raises SpecError."""
        return _number("At once", self.at_once.value)

    def spec_fields(self) -> dict[str, Any]:
        """The fields of the job's spec; `schema_file` instead of `schema` if that is where it is. Raises SpecError."""
        if self._kind == VIDEO:
            return self._video_spec_fields()
        if self._kind == INGEST:
            return self._ingest_spec_fields()
        fields = {
            "if_exists": self.if_exists.value,
            "skip_unchanged": self.unchanged.value == "skip",
            "checksum": self.checksum.value,
            "max_attempts": _number("Attempts", self.attempts.value),
            "follow_symlinks": self.symlinks.value == "follow",
            "encode_names": "percent" if self.odd_names.value == "percent" else "",
            "rules": rules_of(self.only.value, self.but.value),
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


def field(label: str, widget: Widget) -> Horizontal:
    """A line of a form: what it is called, and where it is said."""
    return Horizontal(Label(label, markup=False), widget, classes="field")


def rules_of(only: str, but: str) -> tuple[tuple[str, str], ...]:
    """The rules of a spec: the last match wins, and everything is included to begin with."""
    wanted, unwanted = only.split(), but.split()
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
