"""The S3 side: who we are, what we may do with the bucket, what the store checks, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from s3tui.doctor.findings import Finding, found, overdue, within
from s3tui.errors import AccessDenied, CredentialsError, S3tuiError, StorageError
from s3tui.model import Connection, ObjectHeaders, ObjectRef, Proof
from s3tui.text import format_duration

if TYPE_CHECKING:
    from s3tui.config import Settings
    from s3tui.runtime import Runtime
    from s3tui.storage.profile import Profile
    from s3tui.storage.trial import Trial
    from s3tui.transfer.route import Route

_CREDENTIALS_SECONDS = 5.0
_IDENTITY_SECONDS = 4.0
_BUCKET_SECONDS = 7.0
_PROFILE_SECONDS = 10.0
_CLOCK_SECONDS = 300
_ROUTE_SECONDS = 5.0

_NEEDED = ("PutObject", "CreateMultipartUpload")
"""What an upload cannot do without."""
_PROVEN = {
    Proof.SERVER_CHECKSUM: "that proves a backup",
    Proof.ETAG_MD5: "a backup is proven by the ETag, which is the MD5 of the bytes",
    Proof.READ_BACK: "a backup is proven by reading it back, which costs as much as sending it",
}
_NOT_OFFERED = (400, 404, 405, 501)
"""How a store says that it does not know a request."""


def examine(runtime: Runtime, target: ObjectRef | None, *, write: bool) -> Iterator[Finding]:
    """Look at the store; what can only fail after something else has failed is not looked at."""
    settings = runtime.settings
    connection = Connection(settings.aws.endpoint_url, settings.aws.profile, addressing_style=settings.s3.addressing_style)
    yield _credentials(connection, settings)
    if target is None:
        yield Finding("bucket", "failed" if write else "-", "none is named: `s3tui status s3://BUCKET` checks one")
        return
    trial = _looked_at(connection, settings, target)
    if isinstance(trial, Finding):
        yield trial
        return
    yield from _bucket(settings, trial, target, write=write)
    if trial.clock_ahead is not None:
        yield clock(trial.clock_ahead)
    if _usable(trial):
        yield _store(runtime, connection, target, trial, write=write)


def _credentials(connection: Connection, settings: Settings) -> Finding:
    """Which they are, and whose, where somebody can be asked; that nobody answers such a question is no failure."""
    from s3tui.storage.credentials import describe_credentials
    from s3tui.storage.identity import caller_identity

    which = found("credentials", lambda: describe_credentials(connection, settings.aws), seconds=_CREDENTIALS_SECONDS)
    if which.state == "failed":
        return which
    try:
        arn = within(_IDENTITY_SECONDS, lambda: caller_identity(connection, settings.aws))
    except CredentialsError as error:
        return Finding("credentials", "failed", str(error))
    except (S3tuiError, TimeoutError):
        return replace(which, detail=f"{which.detail}; AWS STS, which knows whose it is, does not answer")
    return replace(which, detail=f"{which.detail}, of {arn}", facts={"arn": arn}) if arn else which


def _looked_at(connection: Connection, settings: Settings, target: ObjectRef) -> Trial | Finding:
    """The trial after its look, or why there was none."""
    from s3tui.storage.trial import Trial

    try:
        trial = Trial(connection, settings.aws, target)
        within(_BUCKET_SECONDS, trial.look)
    except S3tuiError as error:
        return Finding("bucket", "failed", str(error))
    except TimeoutError:
        return overdue("bucket", _BUCKET_SECONDS)
    return trial


def _bucket(settings: Settings, trial: Trial, target: ObjectRef, *, write: bool) -> Iterator[Finding]:
    refusal = trial.outcomes["ListObjectsV2"]
    if refusal is not None and not (write and isinstance(refusal, AccessDenied)):
        hint = f" Whether they may write all the same, `s3tui status --write {target}` finds out."
        yield Finding("bucket", "failed", f"{refusal}{hint if isinstance(refusal, AccessDenied) else ''}")
        return
    if write:
        from s3tui.transfer.headers import header_fields
        from s3tui.transfer.wire.probe import new_probe

        probe = new_probe(target.bucket, target.key)
        trial.write(probe, header_fields(ObjectHeaders(settings.s3.storage_class, settings.s3.sse, settings.s3.sse_kms_key_id)))
    allowed = [operation for operation, error in trial.outcomes.items() if error is None]
    rights = {operation: error is None for operation, error in trial.outcomes.items()}
    state = "ok" if _usable(trial) else "failed"
    yield Finding("bucket", state, f"{target} answers; allowed: {', '.join(allowed) or 'nothing'}", {"rights": rights})
    for operation, error in trial.outcomes.items():
        if error is not None:
            yield Finding("right", "failed" if _matters(operation, error) else "-", str(error), {"operation": operation})
    if write and trial.leaves:
        yield Finding("probe", "failed", f"{probe} could not be removed: delete it, and abort its multipart upload")


def _matters(operation: str, error: StorageError) -> bool:
    """Whether it is more than a right not given, or a request that the store does not know, which uploads can do without."""
    return operation in _NEEDED or not (isinstance(error, AccessDenied) or error.status in _NOT_OFFERED)


def _usable(trial: Trial) -> bool:
    """Whether nothing is known that keeps an upload from working."""
    tried = [trial.outcomes[operation] for operation in _NEEDED if operation in trial.outcomes]
    return not any(tried) if tried else trial.outcomes["ListObjectsV2"] is None


def clock(ahead: float) -> Finding:
    """What it means that our clock is so many seconds ahead of the store's."""
    distance = abs(ahead)
    facts = {"seconds_ahead": round(ahead)}
    if distance < 2:
        return Finding("clock", "ok", "agrees with the store's", facts)
    detail = f"is {format_duration(distance)} {'ahead of' if ahead > 0 else 'behind'} the store's"
    if distance <= _CLOCK_SECONDS:
        return Finding("clock", "ok", detail, facts)
    step = "set it, with `timedatectl set-ntp true` or in the settings of the system: stores refuse what is 15 minutes off"
    return Finding("clock", "failed", f"{detail}: {step}", facts)


def _store(runtime: Runtime, connection: Connection, target: ObjectRef, trial: Trial, *, write: bool) -> Finding:
    """Which engine carries the files, and what the store does with what it is sent; asking it that writes."""
    try:
        route = within(_ROUTE_SECONDS, lambda: runtime.route(connection, target.bucket))
    except S3tuiError as error:
        return Finding("store", "failed", str(error))
    except TimeoutError:
        return overdue("store", _ROUTE_SECONDS)
    profile = route.profile(_PROFILE_SECONDS) if write else route.known
    checksum = runtime.settings.transfer.checksum
    proof = _proof(profile, checksum, trial)
    known = profile.describe(checksum) if profile else _why_unknown(route, write=write)
    detail = f"{route.name} will carry the files{f', because {route.reason}' if route.reason else ''}; {known}"
    if proof:
        detail += f"; {_PROVEN[proof]}"
    elif write:
        detail += "; nothing would prove a backup, so it would delete no source"
    elif profile:
        detail += "; a backup is proven by the ETag where that is the MD5 of the bytes, else by reading it back"
    if profile:
        detail += f"; --if-exists {'is free of races' if profile.keeps_conditions else 'may lose a race, as it ignores conditions'}"
    facts = {"engine": route.name, "proof": proof, "keeps_conditions": profile.keeps_conditions if profile else None}
    return Finding("store", "ok" if profile else "-", detail, facts)


def _proof(profile: Profile | None, checksum: str, trial: Trial) -> Proof | None:
    """The strongest that a backup can get; None: without a probe object that cannot be told, or there is none."""
    if profile is not None and profile.proves(checksum):
        return Proof.SERVER_CHECKSUM
    if trial.etag_is_md5 and trial.allows("HeadObject"):
        return Proof.ETAG_MD5
    return Proof.READ_BACK if trial.allows("GetObject") else None


def _why_unknown(route: Route, *, write: bool) -> str:
    if route.acquaintance is None:
        return "what the store checks, only the other engine finds out"
    if write:
        return "it does not let us ask what it checks of what it receives"
    return "what it checks is not known yet: the first upload finds out, and so does --write"
