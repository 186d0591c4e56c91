"""A home for servers of the UI."""

from __future__ import annotations

from tests.cli.conftest import home

__all__ = ["home"]
