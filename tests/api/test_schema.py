"""What the OpenAPI document promises is kept, whatever is sent: schemathesis tries each call, for a bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.offices import ROWS
from tests.api.servers import ApiServer, untiring_server

EXAMPLES = 12
"""For each call and each mode; what was found with a thousand is in the other files."""

NO_HTTP = "Invalid HTTP request received."
"""What is no HTTP is refused below the application, which never sees it."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

CALLS = [
    *[("GET", f"/v1/jobs{rest}") for rest in ("", "/{job_id}", "/{job_id}/files", "/{job_id}/report", "/{job_id}/events")],
    *[("POST", f"/v1/jobs/{{job_id}}/{verb}") for verb in ("pause", "resume", "cancel", "retry")],
    *[("POST", f"/v1/{kind}") for kind in ("videos", "ingests", "uploads", "files")],
    *[(method, "/v1/files/{file_id}") for method in ("HEAD", "PATCH", "DELETE")],
    *[("OPTIONS", "/v1/files"), ("GET", "/healthz"), ("GET", "/metrics")],
]


@schemathesis.serializer("application/offset+octet-stream")
def bytes_as_they_are(_context: SerializationContext, value: Any) -> bytes:
    """Pieces of files have a type of their own."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A server that does not mind how often it is asked."""
    with untiring_server(tmp_path_factory.mktemp("schema")) as running:
        yield running


@pytest.fixture(scope="module")
def schema(server: ApiServer) -> schemathesis.BaseSchema:
    """Its document, which schemathesis must be able to read."""
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.fixture
def ids(server: ApiServer) -> dict[str, str]:
    """A job that has ended, and an upload that has begun."""
    with server.client() as client:
        job = client.post("/v1/ingests", content=ROWS, headers={"Content-Type": "text/csv"}).json()["id"]
        client.post(f"/v1/jobs/{job}/cancel")
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000000", "Upload-Metadata": "kind dmlkZW8="}
        return {"job_id": job, "file_id": client.post("/v1/files", headers=headers).headers["location"].rpartition("/")[2]}


def operation_of(schema: schemathesis.BaseSchema, method: str, path: str) -> APIOperation[Any, Any, Any, Any]:
    """One call of the document."""
    return next(
        found
        for result in schema.get_all_operations()
        if (found := result.ok()).method.upper() == method and found.path == path  # type: ignore[union-attr]
    )


def test_every_call_is_tried(schema: schemathesis.BaseSchema) -> None:
    documented = {(result.ok().method.upper(), result.ok().path) for result in schema.get_all_operations()}  # type: ignore[union-attr]
    assert documented == {*CALLS, ("GET", "/readyz")}  # which asks a store that is not there


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_document_is_kept(
    schema: schemathesis.BaseSchema, server: ApiServer, ids: dict[str, str], method: str, path: str, mode: GenerationMode
) -> None:
    operation = operation_of(schema, method, path)
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.headers or operation.body):
        return

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: Case[Any]) -> None:
        for name, value in ids.items():
            if name in case.path_parameters:
                case.path_parameters[name] = value
        answer = case.call(headers=server.bearer, timeout=20)
        if answer.text != NO_HTTP:
            case.validate_response(answer, checks=CHECKS)

    keeps()


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if call[1] != "/healthz"])
def test_no_call_is_answered_without_a_token(server: ApiServer, ids: dict[str, str], method: str, path: str) -> None:
    assert httpx.request(method, server.url + path.format(**ids)).status_code in (401, 429)
