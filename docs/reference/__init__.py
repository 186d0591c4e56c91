"""The pages below `reference/`, made from the code whenever the site is built: none of them can be out of date."""

from __future__ import annotations

from docs.reference.commands import commands_page
from docs.reference.configuration import configuration_page
from docs.reference.report import report_page
from docs.reference.rest import rest_page


def pages() -> dict[str, str]:
    """Markdown by its path in the site."""
    return {
        "reference/commands.md": commands_page(),
        "reference/configuration.md": configuration_page(),
        "reference/rest.md": rest_page(),
        "reference/report.md": report_page(),
    }
