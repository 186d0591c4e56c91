"""Fixtures for every test."""

from __future__ import annotations

import signal

pytest_plugins = ["tests.databases", "tests.drawing", "tests.redis_servers", "tests.servers", "tests.films", "tests.player"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script; commands would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as under nohup: this process outlives it still, and commands hear it
    signal.signal(signal.SIGHUP, lambda *_: None)
