"""Include and exclude rules, compiled. The last rule that matches a path decides; a path that none matches is included.

Neighbouring rules of one kind become one regular expression, so that a path costs as many matches as the list has changes of mind.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from s3tui.errors import SpecError
from s3tui.text import display_text

_ACTIONS = ("include", "exclude")


class _Run:
    """Neighbouring rules with the same outcome."""

    __slots__ = ("_base", "_whole", "excludes")

    def __init__(self, action: str, globs: Sequence[str]) -> None:
        self.excludes = action == "exclude"
        self._whole = _any_of(globs)
        slashless = [glob for glob in globs if "/" not in glob]
        self._base = _any_of(slashless) if slashless else None

    def matches(self, path: str, base: str) -> bool:
        return self._whole(path) is not None or (self._base is not None and self._base(base) is not None)


def _any_of(globs: Iterable[str]) -> Callable[[str], re.Match[str] | None]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in dict.fromkeys(globs))).match


class Rules:
    """Rules as the command line gives them: (`include` or `exclude`, glob), in order.

    A glob is matched against the path relative to its source, and one without a slash against the base name, too. `*` and `?` match
    any character, slashes included; case matters. Raises SpecError for an action that is neither.
    """

    def __init__(self, rules: Sequence[tuple[str, str]]) -> None:
        for action, glob in rules:
            if action not in _ACTIONS:
                raise SpecError(f"{display_text(action)!r} {display_text(glob)!r} is not a filter rule: use include or exclude.")
        runs = [_Run(action, [glob for _, glob in group]) for action, group in groupby(rules, key=lambda rule: rule[0])]
        self._runs = tuple(reversed(runs))
        self._includes_again = any(not run.excludes for run in runs)

    def excludes(self, relative: bytes) -> bool:
        """Whether the file at this path, relative to its source, is left out."""
        if not self._runs:
            return False
        path = os.fsdecode(relative)
        base = path.rpartition("/")[2]
        for run in self._runs:
            if run.matches(path, base):
                return run.excludes
        return False

    def excludes_all_below(self, directory: bytes) -> bool:
        """Whether nothing below a directory can be wanted, so that it does not matter if it cannot be read.

        True only when the rules exclude the directory itself (with or without its slash) and none of them includes anything again.
        """
        return not self._includes_again and (self.excludes(directory) or self.excludes(directory + b"/"))
