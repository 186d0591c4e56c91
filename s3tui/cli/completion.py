"""`s3tui completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse

from s3tui.cli.parser import Parser, add_global_options

_EPILOG = (
    "bash, 4 or newer: source <(s3tui completion bash) in ~/.bashrc. zsh: s3tui completion zsh > DIRECTORY/_s3tui, DIRECTORY being "
    "in fpath. fish: s3tui completion fish > ~/.config/fish/completions/s3tui.fish."
)


def add_options(parser: Parser) -> None:
    """What `completion` takes."""
    parser.description = "Print a script that lets a shell complete commands, options and values."
    parser.epilog = _EPILOG
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    from s3tui.cli.outline import outline
    from s3tui.cli.shells import SCRIPTS

    print(SCRIPTS[arguments.shell](outline()), end="")
    return 0
