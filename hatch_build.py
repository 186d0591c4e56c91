"""What a package has that the repository has not: the commit, the manual page and the completions (a hook of hatchling)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SCRIPTS = {
    "bash": "share/bash-completion/completions/s3tui",
    "zsh": "share/zsh/site-functions/_s3tui",
    "fish": "share/fish/vendor_completions.d/s3tui.fish",
}


class PackageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes the files in a directory of its own, and tells the builder of them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel or an sdist is put together."""
        root = Path(self.root)
        self._made = tempfile.TemporaryDirectory(prefix="s3tui-package-")
        made = Path(self._made.name)
        if version != "editable" and (commit := _commit(root)):
            (made / "commit.txt").write_text(f"{commit}\n")
            build_data["force_include"][str(made / "commit.txt")] = "s3tui/commit.txt"
        if self.target_name == "wheel":
            for place, text in _shared(root).items():
                path = made / place.replace("/", "-")
                path.write_text(text)
                build_data["shared_data"][str(path)] = place

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Called when it is put together."""
        self._made.cleanup()


def _commit(root: Path) -> str:
    """The commit that is checked out, `-dirty` behind it if files are changed; empty if this is no repository."""
    if not (root / ".git").exists():
        return ""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _shared(root: Path) -> dict[str, str]:
    """Texts by their place below the prefix. The parser needs the standard library only: an empty environment will do."""
    sys.path.insert(0, str(root))
    from s3tui.cli.manual import manual
    from s3tui.cli.outline import outline
    from s3tui.cli.shells import SCRIPTS

    program = outline()
    return {"share/man/man1/s3tui.1": manual(program)} | {place: SCRIPTS[name](program) for name, place in _SCRIPTS.items()}
