"""Files as they lie on a disk: compressed, damaged, and not tables at all."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from s3tui.errors import NotAFile, SourceVanished, TableError
from s3tui.tabular.opening import open_table
from s3tui.tabular.split import Limits, read_range, split
from s3tui.tabular.table import Table, look
from tests.tabular.reading import opened, read

TEXT = b"id,name\n" + b"".join(b"%d,name of %d\n" % (number, number) for number in range(50_000))


def test_gzip_is_decompressed_and_offsets_are_into_what_it_holds() -> None:
    plain, packed = read(TEXT), read(gzip.compress(TEXT))
    assert (packed.rows, packed.batches) == (plain.rows, plain.batches)
    with opened(gzip.compress(TEXT)) as file:
        assert file.compressed
        batch = plain.batches[30]
        assert read_range(file, batch) == TEXT[batch.offset : batch.offset + batch.length]


def test_gzip_of_several_members() -> None:
    assert read(gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]) + b"\0" * 10).rows == read(TEXT).rows


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(TEXT)[:-9], "truncated_gzip"),
        (gzip.compress(TEXT)[: len(gzip.compress(TEXT)) // 2], "truncated_gzip"),
        (gzip.compress(TEXT)[:-8] + b"12345678", "damaged_gzip"),
        (gzip.compress(TEXT) + b"garbage", "damaged_gzip"),
    ],
    ids=["without its end", "half of it", "another checksum", "something behind it"],
)
def test_damaged_gzip_is_named_when_reading_gets_there(data: bytes, reason: str) -> None:
    with opened(data) as file:
        table = look(file)
        with pytest.raises(TableError, match=r"^Cannot ingest a\.csv: its gzip data .*; get a .* copy of it\.$") as error:
            list(split(file, table, Limits(rows=10)))
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"PK\x03\x04\x14", "it is a ZIP archive or an Excel workbook"),
        (b"\x28\xb5\x2f\xfd\x04", "it is compressed with zstd"),
        (b"SQLite format 3\x00", "it is an SQLite database"),
    ],
    ids=["zip", "zstd", "sqlite"],
)
def test_what_is_no_table_is_refused_by_its_first_bytes(data: bytes, cause: str) -> None:
    with pytest.raises(TableError, match=cause) as error:
        opened(data)
    assert error.value.reason == "not_csv"


def test_a_file_is_opened_by_a_path_of_any_bytes(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/a\n\xff.csv"
    Path(os.fsdecode(path)).write_bytes(TEXT)
    with open_table(path) as file:
        assert file.shown == "a\\n\\xff.csv"
        assert look(file).columns == ("id", "name")
        assert file.consumed() > 0


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(SourceVanished, match=r"Cannot ingest no\.csv: it is not there"):
        open_table(os.fsencode(tmp_path / "no.csv"))
    for path in (fifo, tmp_path):
        with pytest.raises(NotAFile, match="it is not a regular file"):
            open_table(os.fsencode(path))


def test_a_table_is_itself_again_from_its_facts() -> None:
    with opened("id;name\n1;Zoë\n".encode("cp1252")) as file:
        table = look(file)
    assert Table.of(table.facts()) == table


def test_a_header_must_end() -> None:
    with pytest.raises(TableError, match="its first record does not end within 256 KiB"):
        look(opened(b"a,b" * 200_000))
