"""What one writes who has no s3tui: csv.reader, json, boto3 and sqlite3 in a loop, and nothing else.

    python -m benchmarks.plain_ingest FILE BUCKET PREFIX DATABASE

A thousand rows are one object and one transaction. Nothing is proven, resumed or rejected.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from itertools import islice

import boto3


def main(path: str, bucket: str, prefix: str, database: str) -> None:
    """Ingest a file."""
    store = boto3.client("s3")
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE ingest_rows (job_id TEXT, file INTEGER, line INTEGER, data TEXT)")
    connection.execute("CREATE INDEX by_job ON ingest_rows (job_id, file, line)")
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        columns = next(reader)
        number, line = 0, 2
        while rows := list(islice(reader, 1000)):
            number += 1
            body = json.dumps({"upload": "plain", "batch": number, "first": line - 1, "columns": columns, "rows": rows})
            store.put_object(Bucket=bucket, Key=f"{prefix}/batch-{number:06}.json", Body=body.encode())
            named = (json.dumps(dict(zip(columns, row, strict=True))) for row in rows)
            connection.executemany("INSERT INTO ingest_rows VALUES ('plain', 1, ?, ?)", enumerate(named, line))
            connection.commit()
            line += len(rows)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
