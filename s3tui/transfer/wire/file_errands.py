"""Errands that send bytes of files: a whole one, or a part of a large one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from s3tui.errors import S3tuiError
from s3tui.model import Fingerprint
from s3tui.storage.site import Address
from s3tui.text import display_text
from s3tui.transfer.checksums import ALGORITHMS, Algorithm, Checksum, digest_of
from s3tui.transfer.headers import content_type
from s3tui.transfer.patience import Tries
from s3tui.transfer.source import PinnedSource, open_planned, read_small
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.bodies import BLOCK, HeldBody, StreamedBody
from s3tui.transfer.wire.buffers import Buffers
from s3tui.transfer.wire.connection import Request
from s3tui.transfer.wire.errands import Errand
from s3tui.transfer.wire.forms import Form
from s3tui.transfer.wire.orders import Conduct, Item, PartOrder
from s3tui.transfer.wire.sigv4 import EMPTY_SHA256, UNSIGNED, Signer, canonical_query, quoted_path

if TYPE_CHECKING:
    from s3tui.transfer.wire.groups import Run

SMALL = 256 << 10
"""Files up to this many bytes are read once, into memory, and sent from there."""

_EXPECT = 1 << 20
"""Objects of this many bytes and more ask whether they are wanted before they leave."""


class FileErrand(Errand):
    """Sends a range of a file, with the checksum of just these bytes."""

    path = b""
    algorithm: Algorithm
    digest = ""
    """The checksum in base64, once it is prepared."""
    md5 = ""
    """The MD5 in base64, if the store wants it."""
    payload = EMPTY_SHA256
    max_attempts = 1
    spent = 0
    """Attempts of earlier runs."""
    tries: Tries | None = None
    """Made at the first failure."""

    @property
    def what(self) -> str:
        """See `Errand`."""
        return f"{super().what} from {display_text(self.path)}"

    def begin(self) -> None:
        """See `Errand`."""
        self.attempt = self.spent + 1 if self.tries is None else self.tries.begin()

    def forgive(self) -> None:
        """See `Errand`."""
        if self.tries is not None:
            self.tries.take_back()

    def prepare(self, conduct: Conduct, *, waits: bool = True) -> None:
        """Open and hash the file anew. Raises SourceError, or Cancelled when it has been dropped.

        May wait for the disk, so it runs in a thread; without `waits`, small files raise BlockingIOError instead.
        """
        raise NotImplementedError

    def made_tries(self) -> Tries:
        """The count of its attempts, the present one included."""
        if self.tries is None:
            self.tries = Tries(self.max_attempts, self.spent)
            self.tries.begin()
        return self.tries

    def _hold(
        self,
        data: bytes | bytearray | memoryview,
        digest: str,
        conduct: Conduct,
        release: Callable[[], None] | None = None,
    ) -> None:
        """Send these very bytes, which have this checksum."""
        name = self.algorithm.name
        self.digest = digest
        self.payload = hashlib.sha256(data).hexdigest() if name in conduct.signed else UNSIGNED
        if name in conduct.md5:
            self.md5 = _base64(hashlib.md5(data, usedforsecurity=False))
        self.body = HeldBody(data, release)
        self.size = len(data)

    def _stream(self, source: PinnedSource, offset: int, length: int, conduct: Conduct) -> None:
        """Hash the range now, and read it again when it is sent."""
        name = self.algorithm.name
        signature = hashlib.sha256() if name in conduct.signed else None
        md5 = hashlib.md5(usedforsecurity=False) if name in conduct.md5 else None
        checksum = Checksum(self.algorithm)
        for start in range(offset, offset + length, BLOCK):
            self.watch()
            data = source.read_range(start, min(BLOCK, offset + length - start))
            for hashed in (checksum, signature, md5):
                if hashed is not None:
                    hashed.update(data)
        self.digest = checksum.digest
        self.payload = signature.hexdigest() if signature else UNSIGNED
        self.md5 = _base64(md5) if md5 else ""
        self.body = StreamedBody(source, offset, checksum)
        self.size = length


class Put(FileErrand):
    """A whole file in one request."""

    operation = "PutObject"
    looking = False
    """Whether the next request is to see if the object is there already, sent by us."""
    seen: Fingerprint | None = None
    """The file as it was read, if that is not how it was planned."""
    refusal: S3tuiError | None = None
    """What the store said, while we look whether it was our own earlier request that took the key."""

    def __init__(self, item: Item, run: Run) -> None:
        self.run = run
        self.no, self.path, self.key, fingerprint, self.spent, unsure = item
        if unsure:
            self.looking = True
        self.attempt = self.spent
        self.fingerprint = fingerprint
        self.size = fingerprint[0]
        self.algorithm = run.algorithm

    @property
    def bucket(self) -> str:  # type: ignore[override]
        """See `Errand`."""
        return self.run.terms.bucket

    @property
    def max_attempts(self) -> int:  # type: ignore[override]
        """See `FileErrand`."""
        return self.run.terms.max_attempts

    def prepare(self, conduct: Conduct, *, waits: bool = True) -> None:
        """See `FileErrand`."""
        planned = Fingerprint(*self.fingerprint)
        small = read_small(self.path, planned, SMALL, waits=waits) if self.size <= SMALL else None
        if small is not None:
            data, self.seen = small
            self._hold(data, digest_of(self.algorithm, data), conduct)
            return
        if not waits:
            raise BlockingIOError
        source = open_planned(self.path, planned)
        self.seen = source.fingerprint if source.fingerprint != planned else None
        try:
            self._stream(source, 0, source.size, conduct)
        except BaseException:
            source.close()
            raise

    def compose(self, signer: Signer, address: Address, conduct: Conduct) -> Request:
        """See `Errand`."""
        path = quoted_path(address.root + self.key)
        if self.looking:
            form = Form("HEAD", signer, address, {"x-amz-checksum-mode": "ENABLED"})
            return Request("HEAD", form.fill(path, "", (), EMPTY_SHA256, 0))
        expects = self.size >= _EXPECT and conduct.expects
        media_type = "" if self.run.typed else _guessed_type(self.key)
        form = self.run.form((media_type != "", self.md5 != "", conduct.checksums, expects), signer, address)
        head = form.fill(path, "", (media_type, self.md5, self.digest), self.payload, self.size)
        return Request("PUT", head, self.body, expects)

    def moved(self, count: int) -> None:
        """See `Carried`."""
        super().moved(count)
        self.run.bytes_sent += count

    def is_ours(self, answer: Answer) -> bool:
        """Whether what HEAD found holds exactly the bytes that were hashed. May read them again, if only MD5 can tell."""
        headers = answer.headers
        if answer.status != 200 or headers.get("content-length") != str(self.size):
            return False
        kept = headers.get(self.algorithm.header)
        return kept == self.digest if kept else headers.get("etag", "").strip('"') == self._md5()

    def _md5(self) -> str:
        md5 = hashlib.md5(usedforsecurity=False)
        assert self.body is not None
        self.body.rewind()
        while self.body.left:
            block = self.body.block()
            md5.update(block)
            self.body.took(len(block))
        self.body.rewind()
        return md5.hexdigest()


class Part(FileErrand):
    """Sends a part of a large file; always the same bytes, or none."""

    operation = "UploadPart"

    def __init__(self, ask_id: int, order: PartOrder, buffers: Buffers) -> None:
        self.id = ask_id
        self.bucket, self.key = order.target
        self.path = order.path
        self.max_attempts = order.max_attempts
        self.algorithm = ALGORITHMS[order.checksum]
        self.size = order.length
        self._order = order
        self._buffers = buffers

    def prepare(self, conduct: Conduct, *, waits: bool = True) -> None:  # noqa: ARG002 - it always waits
        """See `FileErrand`. Raises SourceChanged if the file is not the one that the upload began with."""
        order = self._order
        began_with = Fingerprint(*order.fingerprint)
        source = open_planned(self.path, began_with)
        try:
            if source.fingerprint != began_with:
                raise source.changed()
            buffer = self._buffers.take(order.length)
            if buffer is None:
                self._stream(source, order.offset, order.length, conduct)
                return
            self._read(source, buffer, conduct)
            source.close()
        except BaseException:
            source.close()
            raise

    def compose(self, signer: Signer, address: Address, conduct: Conduct) -> Request:  # noqa: ARG002 - parts are always wanted
        """See `Errand`."""
        order = self._order
        fixed = {self.algorithm.header: self.digest} if order.proves else {}
        if self.md5:
            fixed["content-md5"] = self.md5
        query = canonical_query([("partNumber", str(order.number)), ("uploadId", order.upload_id)])
        form = Form("PUT", signer, address, fixed)
        return Request("PUT", form.fill(quoted_path(address.root + self.key), query, (), self.payload, self.size), self.body)

    def _read(self, source: PinnedSource, buffer: memoryview, conduct: Conduct) -> None:
        """Read the range into reused memory: what is hashed there is what is sent, and hashed while the cache has it."""
        view = buffer[: self._order.length]
        checksum = Checksum(self.algorithm)
        try:
            for start in range(0, len(view), BLOCK):
                self.watch()
                block = view[start : start + BLOCK]
                source.read_into(self._order.offset + start, block)
                checksum.update(block)
            source.ensure_unchanged()
        except BaseException:
            self._buffers.give(buffer)
            raise
        self._hold(view, checksum.digest, conduct, lambda: self._buffers.give(buffer))


def _base64(hashed: hashlib._Hash) -> str:
    return base64.b64encode(hashed.digest()).decode("ascii")


def _guessed_type(key: str) -> str:
    name = key.rpartition("/")[2]
    dot = name.find(".", 1)
    return _type_of_suffix(name[dot:]) if dot > 0 else ""


@lru_cache(4096)
def _type_of_suffix(suffix: str) -> str:
    return content_type("x" + suffix)
