"""The tables, column by column. Migrations create them; a test holds the two against each other.

Times are milliseconds since 1970, UTC. States of files and actions are the numbers of `s3tui.model`.

Who writes what: faces write `job` (through the service), workers write everything else. Each worker process writes facts from one
thread (see `state.journal`). Rows of `transfer` are changed only by the worker that holds the lease of their unit; the fencing
token of the lease is checked in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Serial = BigInteger().with_variant(Integer, "sqlite")

job = Table(
    "job",
    metadata,
    Column("no", _Serial, primary_key=True),  # short key of all child rows; never shown
    Column("id", String(26), nullable=False, unique=True),  # ULID, what people see
    Column("kind", String(16), nullable=False),
    Column("queue", String(32), nullable=False),  # the queue whose workers may take its units
    Column("state", String(16), nullable=False),  # model.JobState
    Column("desired", String(8), nullable=False),  # model.Desired: what a person wants
    Column("dry_run", Boolean, nullable=False),  # stop after planning; `apply` clears it
    Column("planned", Boolean, nullable=False),  # the scan has ended: `found` is final
    Column("spec", Text, nullable=False),  # JSON, ASCII
    Column("spec_hash", String(32), nullable=False),  # finds the unfinished job of the same command
    Column("identity", String(32), nullable=False),  # workers must hold these credentials; empty: any
    Column("home", String(64)),  # the one worker that may take units, while it is alive
    Column("concurrency", Integer, nullable=False),  # transfers in flight per worker
    Column("reason", String(64)),  # stable word of a failure of the whole job
    Column("error", Text),  # its sentence
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    # Counters, kept in the transaction that changes the rows they count.
    Column("units", Integer, nullable=False, server_default="0"),
    Column("units_done", Integer, nullable=False, server_default="0"),
    Column("found", BigInteger, nullable=False, server_default="0"),  # also the next transfer number
    Column("uploaded", BigInteger, nullable=False, server_default="0"),
    Column("skipped", BigInteger, nullable=False, server_default="0"),
    Column("failed", BigInteger, nullable=False, server_default="0"),
    Column("deleted", BigInteger, nullable=False, server_default="0"),
    Column("retries", BigInteger, nullable=False, server_default="0"),
    Column("bytes_found", BigInteger, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Index(None, "spec_hash"),
)

unit = Table(
    "unit",
    metadata,
    Column("job_no", BigInteger, primary_key=True, autoincrement=False),
    Column("no", Integer, primary_key=True, autoincrement=False),  # 0 plans, the others carry
    Column("kind", String(8), nullable=False),  # model.UnitKind
    Column("first", BigInteger, nullable=False),  # its transfers lie between these two numbers, both included
    Column("last", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),  # 0 held back, 1 ready, 2 leased, 3 done
    Column("worker", String(64)),  # who holds the lease
    Column("token", Integer, nullable=False, server_default="0"),  # fencing: +1 at each claim
    Column("lease_until", BigInteger),  # by the database's clock
    Column("attempts", Integer, nullable=False, server_default="0"),  # claims that ended in a crash or an unknown error
    Index(None, "state", "job_no", "no"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("job_no", BigInteger, primary_key=True, autoincrement=False),
    Column("no", BigInteger, primary_key=True, autoincrement=False),  # dense within the job, from 0, in the order of the scan
    Column("unit_no", Integer),  # the unit that carries it; null: no unit does
    Column("source_no", SmallInteger, nullable=False),  # which of the spec's sources
    Column("path", LargeBinary, nullable=False),  # relative to the source, the file system's own bytes
    Column("key", Text),  # null: the name cannot be a key
    Column("size", BigInteger, nullable=False),  # as planned, then as sent
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),  # lower 63 bits
    Column("state", SmallInteger, nullable=False),  # model.FileState
    Column("action", SmallInteger, nullable=False),  # model.Action
    Column("attempts", SmallInteger, nullable=False),
    Column("reason", String(64)),  # stable word; set when skipped or failed
    Column("error", Text),  # sentence; set when failed
    Column("checksum", Text),  # algorithm:BASE64 over the whole object
    Column("etag", Text),
    Column("version_id", Text),
    Index(None, "job_no", "state", "no"),
    sqlite_with_rowid=False,
)

worker = Table(
    "worker",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", Text, nullable=False),  # host name and boot id: a pid means something only within one boot
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("identity", String(32), nullable=False),  # fingerprint of the credentials it holds
    Column("queues", Text, nullable=False),  # names, separated by commas
    Column("home_only", Boolean, nullable=False),  # works on one job of its own (a headless command)
    Column("started_at", BigInteger, nullable=False),
    Column("alive_until", BigInteger, nullable=False),  # by the database's clock; passed: dead
    Column("progress", Text, nullable=False),  # JSON sample of what is in flight
)

message = Table(
    "message",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("queue", String(64), nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),  # lower first, as Dramatiq has it
    Column("state", SmallInteger, nullable=False, server_default="0"),  # 0 ready, 1 leased, 2 delayed, 3 dead
    Column("not_before", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", BigInteger),
    Column("owner", String(32)),  # random token of the claim
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("error", Text),  # why it is dead
    Column("body", LargeBinary, nullable=False),  # an encoded Dramatiq message
)
Index("ix_message_ready", message.c.queue, message.c.priority, message.c.id, sqlite_where=message.c.state == 0)
Index("ix_message_due", message.c.not_before, sqlite_where=message.c.state == 2)
Index("ix_message_lease", message.c.lease_until, sqlite_where=message.c.state == 1)
