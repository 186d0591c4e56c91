"""Running code as somebody whom file permissions stop, even where the tests themselves run as root."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from textwrap import dedent
from typing import Any

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2

_libc = ctypes.CDLL(None)


def without_root_powers() -> None:
    """The new program will not have the right to ignore permissions. An ordinary user has none to lose, and the call just fails."""
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def run_unprivileged(script: str, *arguments: Any) -> Any:
    """Run Python code in a process of its own; `sys.argv[1:]` are the arguments as JSON, its standard output is JSON."""
    command = [sys.executable, "-c", dedent(script), *(json.dumps(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, preexec_fn=without_root_powers)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
