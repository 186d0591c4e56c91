"""Bytes that nobody meant: whoever reads what strangers wrote makes a value or a sentence of them, never a crash.

Each reader has a saved corpus, `tests/corpora/NAME/`: what people write, what stores really answer, and what has once gone wrong.
All of it is read with every run, and then spoiled in many ways. What is found to be wrong is saved beside the rest.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3tui.config import load_settings
from s3tui.errors import ConfigError, SourceError, SpecError, StorageError, TableError
from s3tui.tabular.objects import batch_object
from s3tui.tabular.table import look
from s3tui.text import display_text
from s3tui.transfer.file_list import FileList, keep_list
from s3tui.transfer.ignore import Ignored, read_ignore_file
from s3tui.transfer.naming import MAX_KEY_BYTES, Unnameable, key_for
from s3tui.transfer.wire.answers import AnswerReader, MalformedAnswer
from s3tui.transfer.wire.api import WireApi
from tests.api.servers import ApiServer, untiring_server
from tests.proof.scale import FULL
from tests.tabular.reading import SMALL, opened, read_batches
from tests.transfer.wire.test_odd_answers import QUESTIONS, OneAnswer

_CORPORA = Path(__file__).parents[1] / "corpora"
_SPOILED = 3000 if FULL else 50
"""Of each corpus."""
_BOUND = timedelta(seconds=10)
"""What one reading may take; they take milliseconds, but for a pattern or a number that explodes."""
_WORDS = (
    *rb"' \" \\ / ../ % $ ${A} &a *a * ? ! # { } [ ] < > </ &lt; &x; <!DOCTYPE : , ; = - -1 0 1e999 0x_ 2026-99-99 \ud800".split(),
    *(b"9" * 20, b"9" * 5000, b"\0", b" ", b": ", b"- ", b"\t", b"\n", b"\r", b"\r\n\r\n", b"\x1b[2J", b"\x7f", b"\xc2\x9b"),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xae", b"\xe2\x80\xa8"),
)
"""What is a word to somebody who reads it."""

Reader = Callable[[bytes, Path], None]
"""Reads bytes; it may use the directory, and fails if what comes of them is neither a value nor a sentence."""


@cache
def saved(name: str) -> list[bytes]:
    """A corpus."""
    return [path.read_bytes() for path in sorted((_CORPORA / name).iterdir())]


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> bytes:
    """One of a corpus with some of its bytes replaced, by words or by a part of another one."""
    corpus = saved(name)
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 12)))
        if draw(st.integers(0, 4)):
            piece = draw(st.sampled_from(_WORDS) | st.binary(max_size=4)) * draw(st.sampled_from([1, 1, 1, 2, 1000]))
        else:
            other = draw(st.sampled_from(corpus))
            begin = draw(st.integers(0, len(other)))
            piece = other[begin : begin + draw(st.integers(0, 200))]
        data = data[:at] + piece + data[to:]
    return data


@contextmanager
def refusals(*kinds: type[Exception]) -> Iterator[None]:
    """What is raised of these kinds is one line that a terminal may be given as it is."""
    try:
        yield
    except kinds as error:
        said = str(error)
        if not said or said != display_text(said):
            pytest.fail(f"not a sentence: {said!r}")


def _written(data: bytes, directory: Path) -> Path:
    path = directory / "file"
    path.write_bytes(data)
    return path


def _read_configuration(data: bytes, directory: Path) -> None:
    with refusals(ConfigError):
        load_settings(config_file=_written(data, directory), environment={})


def _read_dotenv(data: bytes, directory: Path) -> None:
    with refusals(ConfigError):
        load_settings(env_file=_written(data, directory), environment={})


def _read_table(data: bytes, _directory: Path) -> None:
    """All of its records are rows, rejects or blank, and each batch makes an object that is JSON."""
    with refusals(SourceError, TableError), opened(data) as file:
        table = look(file)
        for batch, rows in read_batches(file, table, limits=SMALL):
            assert json.loads(batch_object("job", batch, rows))


def _read_answer(data: bytes, _directory: Path) -> None:
    """As the answer to each question, whole and in two pieces."""
    for method in ("GET", "PUT", "HEAD"):
        for pieces in ((data,), (data[: len(data) // 2], data[len(data) // 2 :])):
            reader = AnswerReader(method)
            with suppress(MalformedAnswer):
                answer = next((found for piece in pieces if (found := reader.feed(piece))), None) or reader.end()
                for ask in QUESTIONS.values():
                    with refusals(StorageError):
                        ask(WireApi(OneAnswer(answer)))


def _read_name(name: bytes, _directory: Path) -> None:
    """It is a key from which the name can be had again, or there is a reason why not."""
    for encoded in ("", "percent"):
        key = key_for(name, "p/", encoded)
        if isinstance(key, Unnameable):
            assert key.error == display_text(key.error)
            continue
        assert len(key.encode()) <= MAX_KEY_BYTES
        try:
            text = name.decode()
        except UnicodeDecodeError:
            assert unquote_to_bytes(key) == b"p/" + name
        else:
            assert key == f"p/{text}"


def _read_list(data: bytes, directory: Path) -> None:
    """It is kept in order, without doubles."""
    for separator in (b"\n", b"\0"):
        with refusals(SpecError):
            kept = FileList(directory, keep_list(io.BytesIO(data), separator, b"/home/me", directory))
            paths = [*kept.after(b"")]
            kept.forget()
            assert paths == sorted(set(paths))
            assert all(path and b"\0" not in path for path in paths)


def _read_ignore_file(data: bytes, directory: Path) -> None:
    with refusals(SpecError):
        ignored = Ignored(read_ignore_file(str(_written(data, directory))))
        for relative in (b"a", b"a/b/c.txt", b"build/", b"a" * 200 + b"/\xff\n", b"/".join([b"ab"] * 40)):
            assert ignored.ignores(relative) in (True, False)


_READERS: dict[str, Reader] = {
    "configuration": _read_configuration,
    "dotenv": _read_dotenv,
    "csv": _read_table,
    "answers": _read_answer,
    "names": _read_name,
    "lists": _read_list,
    "ignore": _read_ignore_file,
}


@pytest.mark.parametrize("name", _READERS)
def test_what_was_saved_is_read_or_refused(name: str, tmp_path: Path) -> None:
    for data in saved(name):
        _READERS[name](data, tmp_path)


@pytest.mark.parametrize("name", _READERS)
def test_what_is_spoiled_is_read_or_refused(name: str, tmp_path: Path) -> None:
    _holds_for_all(name, lambda data: _READERS[name](data, tmp_path))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """It may read no source."""
    with untiring_server(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


@pytest.mark.parametrize("kind", ["uploads", "ingests", "videos"])
def test_a_body_is_taken_or_refused(server: ApiServer, kind: str) -> None:
    with server.client() as client:

        def post(body: bytes) -> None:
            answer: httpx.Response = client.post(f"/v1/{kind}", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, answer.text
            assert answer.json().get("id") or answer.json()["title"]

        for body in saved("bodies"):
            post(body)
        _holds_for_all("bodies", post)


def _holds_for_all(name: str, holds: Callable[[bytes], None]) -> None:
    @settings(max_examples=_SPOILED, deadline=_BOUND, database=None, suppress_health_check=list(HealthCheck))
    @given(spoiled(name))
    def held(data: bytes) -> None:
        holds(data)

    held()


def test_a_reader_that_knows_no_refusal_is_found_out() -> None:
    """The negative control: text that is decoded without care."""

    def careless(data: bytes) -> None:
        data.decode()

    with pytest.raises(UnicodeDecodeError):
        _holds_for_all("names", careless)
