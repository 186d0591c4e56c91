"""The order in which the doctor looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from s3tui.config import Settings
from s3tui.doctor import house, store
from s3tui.doctor.findings import Finding, within
from s3tui.errors import ConfigError
from s3tui.model import ObjectRef
from s3tui.runtime import Runtime
from s3tui.webhooks.options import WebhookOptions

_PARTING_SECONDS = 1.0


def examine(settings: Settings, target: ObjectRef | None, *, write: bool) -> Iterator[Finding]:
    """One finding after the other, each as soon as it is there.

    `target` is the bucket to look at, and a prefix as its key; without one, the configuration's. `write` allows a probe below it.
    """
    if target is None and settings.s3.bucket_name:
        target = ObjectRef(settings.s3.bucket_name, settings.s3.prefix)
    runtime = Runtime(_without_bad_webhook(settings))
    try:
        yield from store.examine(runtime, target, write=write)
        yield from house.examine(runtime, settings.webhook)
    finally:
        with suppress(TimeoutError):  # what hangs would hold up the parting, too
            within(_PARTING_SECONDS, runtime.close)


def _without_bad_webhook(settings: Settings) -> Settings:
    """The settings with which the rest can be looked at, though jobs could not be begun."""
    try:
        _ = settings.webhook.is_set
    except ConfigError:
        return settings.model_copy(update={"webhook": WebhookOptions()})
    return settings
