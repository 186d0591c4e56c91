"""Opens a CSV file, plain or gzip, and says in a sentence why it cannot be read."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from types import TracebackType
from typing import IO, cast

from s3tui.errors import NotAFile, SourceDenied, SourceError, SourceVanished, TableError
from s3tui.text import display_text

_GZIP = b"\x1f\x8b"
_FOREIGN = (
    (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook; save or extract it as CSV first"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook; save it as CSV first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; decompress it, or compress it with gzip"),
    (b"BZh91AY&SY", "it is compressed with bzip2; decompress it, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "it is compressed with xz; decompress it, or compress it with gzip"),
    (b"PAR1\x15", "it is a Parquet file; export it as CSV first"),
    (b"SQLite format 3\x00", "it is an SQLite database; export its table as CSV first"),
    (b"%PDF-1.", "it is a PDF document"),
)
_MAGIC = max(len(magic) for magic, _ in _FOREIGN)


class TableFile:
    """The bytes of a table, decompressed. Offsets are into these. A context manager; closing it closes the handle.

    Moving back in a compressed file reads it from its beginning.
    """

    def __init__(self, handle: IO[bytes], shown: str) -> None:
        """A seekable handle at its beginning. `shown` names the file in sentences. Raises TableError."""
        self.shown = shown
        self._handle = handle
        start = handle.read(_MAGIC)
        handle.seek(0)
        self.compressed = start.startswith(_GZIP)
        for magic, cause in _FOREIGN:
            if start.startswith(magic):
                raise self.refusal(cause, "not_csv")
        self._bytes = cast(IO[bytes], gzip.GzipFile(fileobj=handle, mode="rb")) if self.compressed else handle

    def read(self, size: int) -> bytes:
        """Up to this many bytes, fewer only at the end. Raises SourceError, and TableError for a damaged gzip file."""
        try:
            pieces = [self._bytes.read(size)]
            left = size - len(pieces[0])
            while left and pieces[-1]:
                pieces.append(self._bytes.read(left))
                left -= len(pieces[-1])
        except EOFError as error:
            raise self.refusal("its gzip data ends in the middle; get a complete copy of it", "truncated_gzip") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise self.refusal(f"its gzip data is damaged ({error}); get a good copy of it", "damaged_gzip") from error
        except OSError as error:
            raise SourceError(f"Cannot read {self.shown}: {error.strerror or error}. Check its disk.") from error
        return b"".join(pieces)

    def seek(self, offset: int) -> None:
        """Go to an offset. Raises as `read` does."""
        try:
            self._bytes.seek(offset)
        except EOFError as error:
            raise self.refusal("its gzip data ends in the middle; get a complete copy of it", "truncated_gzip") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise self.refusal(f"its gzip data is damaged ({error}); get a good copy of it", "damaged_gzip") from error

    def consumed(self) -> int:
        """Bytes of the file itself that have been read so far: what progress is measured in."""
        return self._handle.tell()

    def refusal(self, cause: str, reason: str) -> TableError:
        """The error that says why this file is not ingested."""
        return TableError(f"Cannot ingest {self.shown}: {cause}.", reason)

    def close(self) -> None:
        self._bytes.close()
        self._handle.close()

    def __enter__(self) -> TableFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_table(path: bytes) -> TableFile:
    """The CSV file at a path. Raises SourceError if it cannot be opened, and TableError if it is something else."""
    shown = display_text(os.path.basename(path))  # noqa: PTH119 - bytes
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise SourceVanished(f"Cannot ingest {shown}: it is not there. Check its path.") from error
    except PermissionError as error:
        raise SourceDenied(f"Cannot ingest {shown}: the system does not let it be read. Check its permissions.") from error
    except OSError as error:
        raise SourceError(f"Cannot ingest {shown}: {error.strerror}. Check its path.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(f"Cannot ingest {shown}: it is not a regular file. Name a CSV file.")
    handle = os.fdopen(descriptor, "rb")
    try:
        return TableFile(handle, shown)
    except BaseException:
        handle.close()
        raise
