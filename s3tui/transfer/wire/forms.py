"""Request heads, written and signed by filling in a form: what many requests have in common is put into words once.

A form knows the names of all header fields that are signed, in order, and the values of those that never change. Filling it in
takes two substitutions: one for what is signed, one for what is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import itemgetter

from s3tui.storage.site import Address
from s3tui.transfer.wire.sigv4 import Signer, canonical_value


class Form:
    """The head of one kind of request to one address.

    `fixed` are header fields in lower case with their values, `blanks` the names of those that each request fills in, in the order
    in which `fill` takes their values (without a name: taken and not used). Host, date, token and the hash of the body are added
    here. `unsigned` are whole lines.
    What is filled in has no space at its ends, nor two in a row.
    """

    def __init__(
        self,
        method: str,
        signer: Signer,
        address: Address,
        fixed: Mapping[str, str],
        blanks: tuple[str, ...] = (),
        *,
        unsigned: str = "",
    ) -> None:
        self.signer = signer
        self.address = address
        known = {**fixed, "host": address.host_header}
        if signer.keys.token:
            known["x-amz-security-token"] = signer.keys.token
        blanks = (*blanks, "x-amz-content-sha256", "x-amz-date")
        names = sorted({*known, *filter(None, blanks)})
        self._pick = itemgetter(*[blanks.index(name) for name in names if name in blanks])
        self._signed = ";".join(names)
        fields = "".join(f"{name}:{_escaped(canonical_value(known[name])) if name in known else '%s'}\n" for name in names)
        self._canonical = f"{method}\n%s\n%s\n{fields}\n{self._signed}\n%s"
        lines = "".join(f"{name}: {_escaped(known[name]) if name in known else '%s'}\r\n" for name in names)
        self._head = f"{method} %s HTTP/1.1\r\n{lines}{unsigned}Content-Length: %d\r\nAuthorization: %s\r\n\r\n"

    def fill(self, path: str, query: str, values: tuple[str, ...], payload: str, length: int) -> bytes:
        """The head. `path` and `query` are escaped; `payload` is the hexadecimal SHA-256 of the body, or UNSIGNED."""
        fields = self._pick((*values, payload, self.signer.amz_date()))
        canonical = self._canonical % (path, query, *fields, payload)
        authorization = self.signer.authorization(self._signed, hashlib.sha256(canonical.encode()).hexdigest())
        target = f"{path}?{query}" if query else path
        return (self._head % (target, *fields, length, authorization)).encode("latin-1")


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
