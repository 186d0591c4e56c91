"""What the program may say, read from its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PLACE = "…"
"""What stands where a sentence names a file, a bucket or a number."""


def sentences(package: Path) -> Iterator[str]:
    """Every text in the code but its docstrings, its values as places."""
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else PLACE for part in node.values)
