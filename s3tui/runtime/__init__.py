"""The one place where parts meet: settings -> store, queue, engine, service, worker.

    parts.py          all parts of one process, each made when it is first asked for
    specs.py          the spec of a job: the settings' defaults, and over them what was asked for
    routes.py         the ways to S3, which all units at work share
    background.py     the one worker that runs in the background

Heavy parts are imported when they are first asked for, so a face pays only for what it uses; the terminal UI asks for the service
alone, for specs when a form is sent, and never imports botocore.
"""

from s3tui.runtime.parts import QUEUES, Runtime

__all__ = ["QUEUES", "Runtime"]
