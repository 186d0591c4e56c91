"""What `benchmarks.api` is compared with: FastAPI's own way to take a file, `UploadFile`, doing the same with it.

It keeps the file under a name of its own in the given directory, with its SHA-256, in pieces of a MiB.
"""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from pathlib import Path

import uvicorn
from fastapi import FastAPI, UploadFile

app = FastAPI()


@app.post("/files")
async def take(file: UploadFile) -> dict[str, str]:
    """As FastAPI's tutorial has it."""
    whole = hashlib.sha256()
    with Path(sys.argv[1], uuid.uuid4().hex).open("wb") as kept:
        while piece := await file.read(1 << 20):
            whole.update(piece)
            kept.write(piece)
        kept.flush()
        os.fsync(kept.fileno())
    return {"sha256": whole.hexdigest()}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
