"""Which files of the sources are wanted, and how they are named."""

from __future__ import annotations

from dataclasses import dataclass

from s3tui.errors import SpecError
from s3tui.text import display_text, parse_age


@dataclass(frozen=True, slots=True)
class Choice:
    """What a job takes of its sources: what passes every part of it. Raises SpecError when it cannot be used."""

    rules: tuple[tuple[str, str], ...] = ()
    """(`include` or `exclude`, glob) in the order given; the last match wins."""
    ignore: tuple[str, ...] = ()
    """Lines of ignore files in gitignore syntax, in the order given, relative to each source."""
    extensions: tuple[str, ...] = ()
    """What names end in (`pdf`, `.jpg`), in either case; `*` is all, and so is none."""
    hidden: bool = True
    """Whether names that begin with a dot are taken, and what lies below them."""
    min_size: int = 0
    """Bytes."""
    max_size: int | None = None
    """Bytes; None: any size."""
    min_age: str = ""
    """Not modified since (see `parse_age`), counted back from when the job was made; empty: of any age."""
    max_age: str = ""
    """Modified since."""
    files_from: str = ""
    """The kept list (see `FileList`) of the only files that are looked at; empty: all there are."""
    follow_symlinks: bool = False
    encode_names: str = ""
    """`percent`: bytes that are not UTF-8 become `%XX` in the key."""

    def __post_init__(self) -> None:
        for extension in self.extensions:
            if extension != "*" and (not extension.removeprefix(".") or "/" in extension or "*" in extension):
                raise SpecError(f"{display_text(extension)!r} is not a file extension: write it like pdf or .jpg, or * for all.")
        if self.max_size is not None and self.min_size > self.max_size:
            raise SpecError("No file is both as large as --min-size and as small as --max-size: exchange them.")
        for option, age in (("--min-age", self.min_age), ("--max-age", self.max_age)):
            try:
                parse_age(age or "0s", 0)
            except ValueError as error:
                raise SpecError(f"{option} cannot be used: {error}.") from error
