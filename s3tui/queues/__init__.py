"""The bell: Dramatiq brokers that carry the ids of units from those who write them to those who take them.

    options.py        where the queue is; free of Dramatiq, so that faces can read settings fast
    messages.py       what a message says and how queues are named
    message_table.py  every SQL statement over the `message` table of an SQLite state file
    sqlite.py         a Dramatiq broker over that table
    rabbitmq.py       the same promise, kept by a RabbitMQ server
    broker.py         picks one of the two by URL; publishes an outbox
    bells.py          consumers and relay together, as a worker starts and stops them

A message may arrive twice or late and nothing breaks: the database owns the job. It is never lost, so no unit is forgotten.

Concurrency: an SQLite broker has one heartbeat thread, which renews the lease of every message that this process holds, however
busy or stuck the threads that work on them are. Consumer threads (one for each queue) claim, worker threads only note what they
are done with; the next claim writes it. Every thread has a connection of its own.
"""

import os

# Dramatiq reads this once, when it is imported. A consumer whose connection broke is opened again after this many milliseconds,
# and a worker that is asked to stop meanwhile waits as long; Dramatiq's own 3000 is longer than a person waits for Ctrl-C.
os.environ.setdefault("dramatiq_restart_delay", "500")
