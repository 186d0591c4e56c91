"""Rows a second of CPU from a CSV file to batch objects, beside a loop of csv.reader and json: `python -m benchmarks.tabular`.

The two take turns, so that what else the machine does hits both. Memory is the process's peak so far.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from s3tui.tabular.objects import batch_object
from s3tui.tabular.opening import open_table
from s3tui.tabular.records import read_rows
from s3tui.tabular.split import split
from s3tui.tabular.table import look

_COLUMNS = 19
_ROWS = 300_000
_TURNS = 3


def main() -> None:
    """One line for each kind of file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "rows.csv")
        for name, text in _kinds():
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(",".join(f"c{number}" for number in range(_COLUMNS)) + "\n")
                file.writelines([text] * (_ROWS // 1000))
            turns = [(_speed(_plain_loop, path), _speed(_ours, path)) for _ in range(_TURNS)]
            loop, ours = (max(speeds) for speeds in zip(*turns, strict=True))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
            print(f"{name:24} {ours:9,.0f} rows/s   {ours / loop:5.2f} x the plain loop   peak {peak:.0f} MiB", flush=True)


def _kinds() -> Iterator[tuple[str, str]]:
    """Names and texts of a thousand rows."""
    chance = random.Random(1)
    rows = [
        [
            chance.choice(["UA", "EWR", "N39463"]) if column % 3 == 0 else str(chance.randint(-20, 2400))
            for column in range(_COLUMNS)
        ]
        for _ in range(1000)
    ]
    plain = "".join(",".join(row) + "\n" for row in rows)
    yield "plain", plain
    yield "texts quoted", _written(rows)
    yield "commas in quotes", _written([[*row[:-1], "Newark, NJ"] for row in rows])
    yield (
        "line ends in quotes, 2 %",
        _written([[*row[:-1], "a\nb"] if number % 50 == 0 else row for number, row in enumerate(rows)]),
    )
    yield "a ragged row in 1000", plain.replace(",", "", 1)
    yield "a broken quote in 1000", _written(rows).replace('"UA"', '"U"A"', 1)


def _written(rows: list[list[str]]) -> str:
    file = io.StringIO(newline="")
    numbers = ([int(cell) if cell.lstrip("-").isdigit() else cell for cell in row] for row in rows)
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(numbers)
    return file.getvalue()


def _speed(run: Callable[[Path], int], path: Path) -> float:
    start = time.process_time()
    return run(path) / (time.process_time() - start)


def _plain_loop(path: Path) -> int:
    count = 0
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader)
        while rows := list(islice(reader, 1000)):
            json.dumps({"columns": columns, "rows": rows}).encode()
            count += len(rows)
    return count


def _ours(path: Path) -> int:
    count = 0
    with open_table(os.fsencode(path)) as file:
        table = look(file)
        for batch, raw in split(file, table):
            batch_object("benchmark", batch, read_rows(batch, raw, table))
            count += batch.records
    return count


if __name__ == "__main__":
    main()
