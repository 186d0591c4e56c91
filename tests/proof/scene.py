"""One ingest that is disturbed: who takes part, and what is seen of it in the database."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from s3tui.model import Job, JobState, UnitKind
from s3tui.state.settling import LEASED
from s3tui.state.sql import Connection
from s3tui.state.store import Store as StateStore
from tests.cli.command import Home
from tests.cluster_servers import PostgreSQL, RabbitMQ
from tests.front import FaultFront
from tests.proof.scale import SCALE
from tests.proof.workforce import Workforce
from tests.servers import Store


@dataclass
class Scene:
    """A home with workers, a bucket behind a front, and the servers of a cluster if there are any."""

    home: Home
    workforce: Workforce
    bucket: Store
    front: FaultFront
    state: StateStore
    database: PostgreSQL | None = None
    broker: RabbitMQ | None = None

    def submit(self, file: Path) -> Job:
        """Begin to ingest a file."""
        detached = self.home.run(*ingest(file, self.bucket), "--detach")
        assert detached.code == 0, detached.stderr
        [job] = self.state.jobs.find(detached.stdout.strip())
        return job

    def job(self, job: Job) -> Job:
        """As it is now."""
        [found] = self.state.jobs.find(job.id)
        return found

    def landed(self, job: Job) -> int:
        """How many batches have landed."""
        with self.state.database.read() as connection:
            [(done,)] = connection.rows("SELECT coalesce(sum(batches_done), 0) FROM csv_file WHERE job_no = :no", no=job.no)
            return int(done)

    def holder(self, job: Job, batch: int) -> int | None:
        """The process that has the unit of a batch."""
        query = f"""
            SELECT unit.worker FROM unit JOIN batch ON batch.job_no = unit.job_no AND batch.unit_no = unit.no
            WHERE unit.job_no = :no AND batch.no = :batch AND unit.state = {LEASED}"""
        return next(iter(self._processes(query, no=job.no, batch=batch)), None)

    def at_the_end(self, job: Job) -> list[int]:
        """The processes, dead ones too, that have a unit of which all has landed, and which is not finished."""
        query = f"""
            SELECT worker FROM unit WHERE job_no = :no AND state = {LEASED} AND kind = '{UnitKind.CARRY}' AND NOT EXISTS (
                SELECT 1 FROM batch WHERE batch.job_no = unit.job_no AND batch.unit_no = unit.no AND NOT batch.done)"""
        return self._processes(query, no=job.no)

    def _processes(self, query: str, **values: int) -> list[int]:
        with self.state.database.read() as connection:
            return [int(worker.partition("-")[0]) for (worker,) in connection.rows(query, **values) if worker is not None]

    def linger(self) -> None:
        """Make the database take its time with the end of a unit, so that workers die between its last batch and that, too."""
        with self.state.database.write() as connection:
            for statement in _LINGER_SQLITE if self.database is None else _LINGER_POSTGRESQL:
                connection.execute(statement)


_DONE = 3
_LINGER_SQLITE = (
    """
    CREATE VIEW a_while AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n""",
    f"CREATE TRIGGER linger BEFORE UPDATE ON unit WHEN NEW.state = {_DONE} BEGIN SELECT * FROM a_while; END",
)
_LINGER_POSTGRESQL = (
    "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END'",
    f"CREATE TRIGGER linger BEFORE UPDATE ON unit FOR EACH ROW WHEN (NEW.state = {_DONE}) EXECUTE FUNCTION linger()",
)


def ingest(file: Path, bucket: Store) -> tuple[str, ...]:
    """The command; without its encoding, bytes that are none of UTF-8 would make it another one."""
    rows = str(SCALE.batch_rows)
    return ("ingest", str(file), f"s3://{bucket.bucket}/p", "--encoding", "utf-8", "--batch-rows", rows)


def batch_of(key: str) -> int:
    """The number of the batch whose object has this key."""
    return int(key.rpartition("batch-")[2].removesuffix(".json"))


def forget(connection: Connection, job: Job, unit_no: int) -> None:
    """Take the marks of a unit's batches out of the ledger, as if it had never been asked: the rows stay."""
    place = {"job_no": job.no, "unit_no": unit_no}
    marked = "FROM batch WHERE batch.job_no = :job_no AND unit_no = :unit_no AND done"
    [(batches, landed, inserted, rejected)] = connection.rows(
        f"SELECT count(*), coalesce(sum(length), 0), coalesce(sum(inserted), 0), coalesce(sum(rejected), 0) {marked}", **place
    )
    within = "reject.record BETWEEN first AND first + records - 1"
    # Of these there cannot be two.
    connection.execute(f"DELETE FROM reject WHERE job_no = :job_no AND EXISTS (SELECT 1 {marked} AND {within})", **place)
    connection.execute("UPDATE batch SET done = FALSE WHERE job_no = :job_no AND unit_no = :unit_no", **place)
    connection.execute(
        """
        UPDATE csv_file SET batches_done = batches_done - :batches, landed = landed - :landed,
            inserted = inserted - :inserted, rejected = rejected - :rejected
        WHERE job_no = :job_no""",
        job_no=job.no,
        batches=int(batches),
        landed=int(landed),
        inserted=int(inserted),
        rejected=int(rejected),
    )


def units_of(connection: Connection, job: Job, pid: int) -> list[int]:
    """The units that a process has; locked, so that nobody takes them or lands anything of them meanwhile."""
    held = f"UPDATE unit SET token = token WHERE job_no = :no AND state = {LEASED} AND worker LIKE :worker RETURNING no"
    return [no for (no,) in connection.rows(held, no=job.no, worker=f"{pid}-%")]


def wholly_undisturbed(home: Home, file: Path, bucket: Store) -> Job:
    """Ingest a file in one go."""
    process = home.start(*ingest(file, bucket))
    process.communicate(timeout=SCALE.seconds)
    [job] = home.jobs()
    assert job.state is JobState.PARTIAL
    return job


def state_of(home: Home) -> closing[StateStore]:
    """Its state, until the block is left."""
    return closing(StateStore(home.environment.get("DATABASE_URL", "sqlite"), home.directory / "state" / "s3tui"))
