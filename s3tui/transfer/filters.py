"""Include and exclude rules, compiled. The last rule that matches a path decides; a path that none matches is included.

All rules become one regular expression, the last of them first, so that a path costs one match.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from s3tui.errors import SpecError
from s3tui.text import display_text

_ACTIONS = ("include", "exclude")

_TO_BASE_NAME = r"(?:(?s:.*/)(?=[^/]*\Z))?"
"""Passes over the directories of a path, or over nothing."""


class Rules:
    """Rules as the command line gives them: (`include` or `exclude`, glob), in order.

    A glob is matched against the path relative to its source, and one without a slash against the base name, too. `*` and `?` match
    any character, slashes included; case matters. Raises SpecError for an action that is neither.
    """

    def __init__(self, rules: Sequence[tuple[str, str]]) -> None:
        for action, glob in rules:
            if action not in _ACTIONS:
                raise SpecError(f"{display_text(action)!r} {display_text(glob)!r} is not a filter rule: use include or exclude.")
        self._includes_again = any(action == "include" for action, _ in rules)
        self._match = re.compile(_expression(rules)).match if rules else None

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._match is not None

    def excludes(self, relative: bytes) -> bool:
        """Whether the file at this path, relative to its source, is left out."""
        if self._match is None:
            return False
        match = self._match(os.fsdecode(relative))
        return match is not None and match.lastindex is not None

    def excludes_all_below(self, directory: bytes) -> bool:
        """Whether nothing below a directory can be wanted, so that it does not matter if it cannot be read.

        True only when the rules exclude the directory itself (with or without its slash) and none of them includes anything again.
        """
        return not self._includes_again and (self.excludes(directory) or self.excludes(directory + b"/"))


def _expression(rules: Sequence[tuple[str, str]]) -> str:
    """Matches what a rule matches; only an excluding rule captures something."""
    runs = groupby(reversed(rules), key=itemgetter(0))
    return "|".join(f"({'' if action == 'exclude' else '?:'}{_any_of([glob for _, glob in run])})" for action, run in runs)


def _any_of(globs: Sequence[str]) -> str:
    """Matches what any of the globs matches. One that begins with a star reaches the base name by itself."""
    paths = [glob for glob in globs if "/" in glob or glob.startswith("*")]
    names = [glob for glob in globs if "/" not in glob and not glob.startswith("*")]
    alternatives = [fnmatch.translate(glob) for glob in paths]
    if names:
        alternatives.append(f"{_TO_BASE_NAME}(?:{'|'.join(fnmatch.translate(glob) for glob in names)})")
    return "|".join(alternatives)
