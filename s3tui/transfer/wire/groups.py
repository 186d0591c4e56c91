"""Who is next: the jobs whose files are sent here, each with its own limit, pace and wish, and its lines."""

from __future__ import annotations

from collections import deque

from s3tui.storage.site import Address
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.pace import Pace
from s3tui.transfer.wire.errands import Errand
from s3tui.transfer.wire.file_errands import Part, Put
from s3tui.transfer.wire.forms import Form
from s3tui.transfer.wire.orders import Item, Terms, Wish
from s3tui.transfer.wire.sigv4 import Signer


class Run:
    """The files of one `carry`, in order; they become errands only when it is their turn."""

    def __init__(self, run_id: int, group: Group, terms: Terms) -> None:
        self.id = run_id
        self.group = group
        self.terms = terms
        self.algorithm = ALGORITHMS[terms.checksum]
        self.typed = any(name == "content-type" for name, _ in terms.headers)
        """Whether all have one content type."""
        self.waiting: deque[Item] = deque()
        self.bytes_sent = 0
        """Bytes of bodies that ever left."""
        self.bytes_told = 0
        self._forms: dict[tuple[bool, bool, bool, bool], Form] = {}

    def form(self, kind: tuple[bool, bool, bool, bool], signer: Signer, address: Address) -> Form:
        """The form of a PutObject in which content type, Content-MD5 and checksum are left to be filled in.

        `kind` says of these three whether they are sent, and whether the object asks first.
        """
        form = self._forms.get(kind)
        if form is None or form.signer is not signer or form.address is not address:
            fixed = dict(self.terms.headers)
            if self.terms.only_new:
                fixed["if-none-match"] = "*"
            *sent, expects = kind
            names = ("content-type", "content-md5", self.algorithm.header)
            blanks = tuple(name if is_sent else "" for name, is_sent in zip(names, sent, strict=True))
            unsigned = "Expect: 100-continue\r\n" if expects else ""
            form = self._forms[kind] = Form("PUT", signer, address, fixed, blanks, unsigned=unsigned)
        return form


class Group:
    """What is sent for one job."""

    def __init__(self) -> None:
        self.limit = 1
        self.wish = Wish.RUN
        self.pace = Pace()
        self.in_flight = 0
        self.runs: list[Run] = []
        self.again: deque[Errand] = deque()
        """Errands whose rest is over: they go first."""
        self.parts: deque[Part] = deque()
        self._turn = 0

    def next(self) -> Errand | None:
        """The errand whose turn it is: the files of each run and the parts take turns."""
        if self.again:
            return self.again.popleft()
        for _ in range(len(self.runs) + 1):
            self._turn = (self._turn + 1) % (len(self.runs) + 1)
            if self._turn == len(self.runs):
                if self.parts:
                    return self.parts.popleft()
            elif (run := self.runs[self._turn]).waiting:
                return Put(run.waiting.popleft(), run)
        return None

    def drain(self) -> list[Errand]:
        """All that waits, taken out of the lines."""
        waiting: list[Errand] = [*self.again, *self.parts]
        self.again.clear()
        self.parts.clear()
        for run in self.runs:
            waiting += [Put(item, run) for item in run.waiting]
            run.waiting.clear()
        return waiting
