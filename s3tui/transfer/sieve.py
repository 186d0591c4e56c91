"""A choice, compiled: what it lets through, asked once for each entry of a scan."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from s3tui.text import parse_age
from s3tui.transfer.choice import Choice
from s3tui.transfer.filters import Rules
from s3tui.transfer.ignore import Ignored

_Test = Callable[[bytes], bool]
_DOT = ord(".")
_NS_PER_MS = 1_000_000


class Sieve:
    """Three questions, in the order in which a scan can answer them: by a directory's name, by an entry's name, by its stat.

    A question that the choice does not ask is None.
    """

    def __init__(self, choice: Choice, created_at: int) -> None:
        """`created_at`, milliseconds since 1970, is the moment from which ages count back. Raises SpecError."""
        self._rules = Rules(choice.rules)
        ignored = Ignored(choice.ignore)
        on_directories: list[_Test] = [
            test for test, asked in ((ignored.ignores, ignored), (_is_hidden, not choice.hidden)) if asked
        ]
        on_files: list[_Test] = [*([self._rules.excludes] if self._rules else []), *_extensions(choice.extensions)]
        self.excludes: _Test | None = _any_of(on_files + on_directories)
        """Whether an entry, by its path relative to the source, is left out."""
        self.prunes: _Test | None = _any_of(on_directories)
        """Whether a directory is left out with all that lies below it; its path ends in a slash."""
        limits = _Limits(choice, created_at)
        self.limits: Callable[[os.stat_result], str | None] | None = limits.broken if limits else None
        """The reason for which a regular file is left out, if there is one."""

    def excludes_all_below(self, directory: bytes) -> bool:
        """Whether nothing below a directory can be wanted, so that it does not matter if it cannot be read."""
        return self._rules.excludes_all_below(directory)


class _Limits:
    """What a choice says about size and age; both bounds belong to what is taken."""

    def __init__(self, choice: Choice, created_at: int) -> None:
        self._min_size = choice.min_size
        self._max_size = choice.max_size
        self._newest = parse_age(choice.min_age, created_at) * _NS_PER_MS if choice.min_age else None
        self._oldest = parse_age(choice.max_age, created_at) * _NS_PER_MS if choice.max_age else None

    def __bool__(self) -> bool:
        return self._min_size > 0 or (self._max_size, self._newest, self._oldest) != (None, None, None)

    def broken(self, status: os.stat_result) -> str | None:
        size, modified = status.st_size, status.st_mtime_ns
        if size < self._min_size or (self._max_size is not None and size > self._max_size):
            return "size_limit"
        if (self._newest is not None and modified > self._newest) or (self._oldest is not None and modified < self._oldest):
            return "age_limit"
        return None


def _is_hidden(relative: bytes) -> bool:
    """Whether the last name of a path begins with a dot."""
    return relative[relative.rfind(b"/", 0, -1) + 1] == _DOT


def _extensions(extensions: Sequence[str]) -> list[_Test]:
    """A test that leaves out names without any of the extensions; a name that is nothing but an extension has none."""
    if not extensions or "*" in extensions:
        return []
    endings = "|".join(re.escape(extension.removeprefix(".")) for extension in extensions)
    ends_so = re.compile(rf".*[^/]\.(?:{endings})\Z", re.DOTALL | re.IGNORECASE).match
    return [lambda relative: ends_so(os.fsdecode(relative)) is None]


def _any_of(tests: Sequence[_Test]) -> _Test | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda relative: any(test(relative) for test in tests)
