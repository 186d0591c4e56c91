"""`/healthz`, `/readyz` and `/metrics`: for whoever runs the service."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from s3tui import __version__
from s3tui.api import shapes
from s3tui.api.auth import READS
from s3tui.api.desk import AtDesk
from s3tui.api.jobs_shown import json_response
from s3tui.api.problems import busy
from s3tui.api.readiness import Readiness

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses={200: {"model": shapes.Alive}})
async def show_alive() -> Response:
    """The process answers."""
    return json_response({"status": "alive", "version": __version__})


@router.get("/readyz", responses={200: {"model": shapes.Ready}})
async def show_ready(request: Request) -> Response:
    """Whether a job that came now could be carried; 503 if not. Looked at every three seconds at most."""
    readiness: Readiness = request.app.state.readiness
    checks = await readiness.checks()
    failed = [name for name, state in checks.items() if state == "failed"]
    if failed:
        problem = busy("not_ready", f"Not ready: {', '.join(failed)}. The log says why.")
        problem.members = {"checks": checks}
        raise problem
    return json_response({"ready": True, "checks": checks})


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text format"}},
    response_class=Response,
    dependencies=READS,
)
async def show_metrics(desk: AtDesk) -> Response:
    """What the database says, for Prometheus."""
    text, media_type = await desk.call(desk.runtime.metrics_text)
    return Response(text, headers={"Content-Type": media_type})
