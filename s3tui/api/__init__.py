"""The REST API: a face that answers HTTP. It receives bodies, writes jobs and reads the state store; workers do the work.

    server.py       the process: its socket, its first token, its end
    app.py          the application: routes, errors, headers, OpenAPI
    front.py        the outermost layer: headers, one line of the log for each request, and the last resort
    routes/         one file per group of paths; shapes.py: how what they take and tell looks; page/: two pages for people
    desk.py         what all routes share, and the one way to calls that block
    auth.py         who calls; limits.py: how often, and how much at a time; sources.py: which paths of this machine they may name
    problems.py     everything that is refused, as RFC 9457 documents

    arrivals.py     one request with a file, from its head to its job
    bodies.py       a body on its way; multipart.py: the file in a form; staging.py: where it waits
    intake.py       what may be asked of a body, and the step from file to job
    resumable.py    files that come in pieces (tus)
    idempotency.py  a request that was sent twice is answered once
    sweeping.py     what is removed from staging, and when

    jobs_shown.py   a job as a resource, and its digest; events.py: how it changes, as a stream
    readiness.py    whether a job that came now could be carried

Concurrency: one event loop, which never waits for a disk or a database. Calls that block run in threads of `Desk`, so many at a
time; pieces of bodies of a MiB or more are written and hashed by threads of their own, two pieces of a body in memory at most.

A body in staging lives in a directory with the id of the job that it becomes. The file is locked while it is received, until its
job is written: what is not locked, and belongs to no job, was left by a process that died.
"""
