"""The process that does the work.

    queue ──bell──▶ take_unit(job, unit) ─┐
    tick, once a second ─▶ reap ──────────┴─▶ claim ─▶ a thread per unit: KINDS[kind].plan or .work ─▶ finish | release
    heartbeat, once a second: renew every lease, read what people want, write the sample of what is in flight
    courier, if there is a webhook: tell it which jobs have ended
    mirror, if there is a Redis: write there what the database says of jobs and workers, once a second

    worker.py       its life, its claimer and its heartbeat
    at_work.py      the units at work and their jobs: which may still begin, and who waits for their end
    workbench.py    one unit, from its story to what is written of its end

A message is a bell: the actor returns at once, so no delivery is ever held for a long job, and a lost or doubled message changes
nothing. The claim in the database decides, and the tick finds what no bell announced: units of dead workers, units that came while
every slot was taken.

Concurrency: the claimer thread starts units, one thread each; the heartbeat thread does nothing but beat, so leases are renewed
however busy the units are. The one lock is that of `AtWork`; no call that may block is made under it.
"""

from s3tui.worker.worker import Worker

__all__ = ["Worker"]
