"""Live status: Redis mirrors what the state database says of jobs and workers, for other programs.

options.py   the `live:` section of the configuration
layout.py    keys, fields and times to live: what docs/live.md promises
line.py      the way to one Redis: bounded in time, one kind of error
mirror.py    the thread of a worker that looks at the database and writes what it saw

Nothing is ever read from Redis, so nothing depends on it: it may refuse, hang, be full, be emptied or restarted, and only the
mirror notices. Each look writes all that it has to say, so the one after an outage makes everything true again, and nothing queues
up meanwhile.
"""
