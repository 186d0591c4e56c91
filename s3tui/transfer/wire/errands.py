"""What one request is for: a file or a part of one (see `file_errands`), or a question. Each knows what an answer means to it.

An errand is prepared (its file opened, read and hashed), composed (its head written and signed) at the moment it is sent, and ends
in one outcome. How often and when it is sent is the crew's business, and so are the fields that say how its present attempt stands:
they begin as what the class says, because most errands succeed at once and never need them.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from s3tui.errors import Cancelled
from s3tui.storage.site import Address
from s3tui.text import display_text
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.bodies import Body, HeldBody
from s3tui.transfer.wire.connection import Connection, Request
from s3tui.transfer.wire.forms import Form
from s3tui.transfer.wire.orders import Conduct
from s3tui.transfer.wire.sigv4 import Signer, canonical_query, quoted_path

if TYPE_CHECKING:
    from s3tui.storage.keys import Keys
    from s3tui.transfer.wire.ferry import Ferry
    from s3tui.transfer.wire.groups import Group


class Errand:
    """What is the same for all. Implements `Carried` for the connection that it is on."""

    ferry: Ferry
    method = "PUT"
    operation = ""
    bucket = ""
    key = ""
    size = 0
    attempt = 0
    """Attempts begun, those of earlier runs included."""
    sent = 0
    """Bytes of the body that left in this attempt."""
    body: Body | None = None
    group: Group | None = None
    """The job it belongs to; questions belong to none, and obey no limits."""
    connection: Connection | None = None
    dialing: asyncio.Task[None] | None = None
    keys: Keys | None = None
    """What it was signed with."""
    successes_before: int | None = None
    """Of all errands, when it failed last, or began."""
    dropped = False
    """Whether it is being broken off by wish."""
    restarts = 0
    """How often its idle connection had ended."""
    hops = 0
    """Redirections followed."""
    host = ""
    """The host a redirection leads to, instead of the site's own."""
    was_skewed = False

    @property
    def what(self) -> str:
        """`OPERATION TARGET`, and the source if there is one, for sentences."""
        target = f"s3://{self.bucket}/{self.key}" if self.key else f"s3://{self.bucket}"
        return f"{self.operation} {display_text(target)}"

    def begin(self) -> None:
        """Another attempt begins."""
        self.attempt = 1

    def forgive(self) -> None:
        """The attempt that has begun does not count."""

    def compose(self, signer: Signer, address: Address, conduct: Conduct) -> Request:
        """The request as it is sent now."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what it holds."""
        if self.body is not None:
            self.body.close()
            self.body = None

    def watch(self) -> None:
        """Called between the blocks of a file that is being read. Raises Cancelled."""
        if self.dropped:
            raise Cancelled("The job was broken off.")

    def moved(self, count: int) -> None:
        """See `Carried`."""
        self.sent += count
        if self.group is not None:
            self.group.pace.took(count)

    def allowance(self, wanted: int) -> int:
        """See `Carried`."""
        return wanted if self.group is None else self.group.pace.allowance(wanted)

    def wait_seconds(self) -> float:
        """See `Carried`."""
        return 0.0 if self.group is None else self.group.pace.wait_seconds()

    def not_continued(self) -> None:
        """See `Carried`."""
        self.ferry.stop_expecting()

    def answered(self, connection: Connection, answer: Answer) -> None:
        """See `Carried`."""
        self.ferry.take_answer(self, connection, answer)

    def failed(self, connection: Connection, error: Exception) -> None:
        """See `Carried`."""
        self.ferry.take_failure(self, connection, error)


class Ask(Errand):
    """A question, or an order without a file: its answer goes back as it came."""

    def __init__(
        self,
        ask_id: int,
        operation: str,
        method: str,
        target: tuple[str, str],
        query: list[tuple[str, str]],
        headers: dict[str, str],
        content: bytes,
    ) -> None:
        self.id = ask_id
        self.operation = operation
        self.method = method
        self.bucket, self.key = target
        self._query = canonical_query(query)
        self._headers = headers
        self._content = content

    def compose(self, signer: Signer, address: Address, conduct: Conduct) -> Request:  # noqa: ARG002 - there is no body to speak of
        """See `Errand`."""
        headers = dict(self._headers)
        payload = headers.pop("x-amz-content-sha256", "") or hashlib.sha256(self._content).hexdigest()
        form = Form(self.method, signer, address, headers)
        head = form.fill(quoted_path(address.root + self.key), self._query, (), payload, len(self._content))
        return Request(self.method, head, HeldBody(self._content) if self._content else None)
