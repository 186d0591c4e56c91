"""Every call of the REST API, from its OpenAPI document."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from docs.reference.table import code, plain, table
from s3tui.api.app import create_app
from s3tui.api.desk import Desk
from s3tui.config import Settings
from s3tui.runtime import Runtime

_HEAD = """# REST

From the OpenAPI document, which a server gives at `/openapi.json`, and shows at `/docs`. [REST API](../api.md) tells how to use it:
tokens, `Idempotency-Key`, events, resumable uploads, limits.

"""
_REFUSED = """## Refusals

RFC 9457 documents (`application/problem+json`), with `reason`, a stable word, and `detail`, a sentence.

"""


def rest_page() -> str:
    """The page."""
    document = openapi()
    text = _HEAD
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            text += _call(method.upper(), path, operation)
    refusals = next(iter(next(iter(document["paths"].values())).values()))["responses"]
    rows = [(code(status), plain(answer["description"])) for status, answer in refusals.items() if status >= "400"]
    text += _REFUSED + table(["status", ""], rows) + "\n## Shapes\n\n"
    for name, schema in document["components"]["schemas"].items():
        text += f"### {name}\n\n{plain(schema.get('description', '').partition(chr(10))[0])}\n\n{_fields(schema)}\n"
    return text


def openapi() -> dict[str, Any]:
    """The document, as a server with nothing configured gives it."""
    before = os.environ.get("XDG_STATE_HOME")
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        try:
            with Runtime(Settings()) as runtime:
                return create_app(Desk(runtime)).openapi()
        finally:
            del os.environ["XDG_STATE_HOME"]
            if before is not None:
                os.environ["XDG_STATE_HOME"] = before


def _call(method: str, path: str, operation: dict[str, Any]) -> str:
    text = f"## {method} {path.replace('_', chr(92) + '_')}\n\n{plain(operation.get('description', ''))}\n\n"
    bodies = ", ".join(map(code, operation.get("requestBody", {}).get("content", {})))
    text += f"Body: {bodies}.\n\n" if bodies else ""
    rows = [
        (code(parameter["name"]), parameter["in"], code(_type(parameter["schema"])), plain(_said(parameter)))
        for parameter in operation.get("parameters", ())
    ]
    text += table(["parameter", "in", "type", ""], rows) + "\n" if rows else ""
    for status, answer in operation["responses"].items():
        if status < "400":
            shapes = ", ".join(code(_type(content.get("schema", {}))) for content in answer.get("content", {}).values())
            text += f"Answer: **{status}** {plain(answer['description'])}{': ' + shapes if shapes not in ('', '``') else ''}\n\n"
    return text


def _fields(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"])) + "\n"
    rows = [(code(name), code(_type(field)), plain(_said(field))) for name, field in schema.get("properties", {}).items()]
    return table(["field", "type", ""], rows)


def _said(field: dict[str, Any]) -> str:
    return str(field.get("description") or field.get("schema", {}).get("description", ""))


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(filter(None, map(_type, schema["anyOf"])))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items']) or 'objects'}"
    return str(schema.get("type", ""))
