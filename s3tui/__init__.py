"""s3tui moves local data into S3 and shows it happening. This page is the map of the house.

Floors, top to bottom; a room imports only from floors below it, and `pyproject.toml` holds the linter that says so:

    cli                      a face that prints; it also opens the other faces
    tui | api | web          a face that draws; a face that answers HTTP; the first one shown in a browser
    doctor                   looks at all that an upload needs
    runtime                  the one place where parts meet: settings -> store, queue, engine, service, worker
    config                   Settings, each part's own options nested
    service | worker         the door; and the process that does the work
    webhooks | live          another program is told, signed, of each job that has ended; Redis mirrors what goes on
    jobs | report | metrics  one file per kind of job: a frozen spec and a short story; how a job ended; what Prometheus scrapes
    transfer | state | media | tabular
                             files to objects, as facts; the database that remembers them; files to videos; CSV to rows
    storage | queues         S3's own words; Dramatiq brokers
    listening                where a server listens, and what whoever opens it wider must know
    events, model            facts and nouns, standard library only
    text, masking, errors    safe text for people; secrets kept out of it; one tree of what can go wrong
    log_context              what a line of the log is about

The path of a job:

    face    service.plan or .submit(spec)     a job row, a unit that plans, a message with both ids: one transaction
    worker  plan unit                         scan -> transfers, numbered, written with the units that will carry them
                                              a job that watches plans on, until people stop it
    worker  carry unit                        lease -> engine.carry(transfers) -> facts, each durable before the next step
                                              a backup goes on: proof -> intent to delete -> the source goes
                                              an ingest: batch -> object -> proof -> its mark, rows and rejects: one transaction
            heartbeat, once a second          renew leases, read what people want, write what is in flight, and how far jobs are
            last unit                         totals, final state, and a notice for the webhook: one transaction
            courier                           notice -> webhook, until it is taken
            mirror, once a second             what the database says -> Redis, which nobody here reads
    face    service.watch, .window            counters, the visible rows, the transfers in flight

The database owns the job; the queue only rings the bell, and carries ids only. Recovery after a crash is the same code as normal
work: a unit whose lease ran out is claimed again and goes on from its last fact.
"""

__version__ = "0.1.0"
