"""What makes segments a video: playlists, written when everything they name is on S3, and the master last of all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from s3tui.jobs.shipment import Shipment
from s3tui.media.master import SubtitleRendition, master_playlist
from s3tui.media.plan import Plan
from s3tui.media.playlists import Key, Rendition, key_frame_playlist, media_playlist, target_duration
from s3tui.media.served import KEY_FRAMES, MASTER, PLAYLIST


def publish(
    plan: Plan,
    renditions: Mapping[str, Rendition],
    subtitles: Sequence[SubtitleRendition],
    directory: Path,
    shipment: Shipment,
    key: Key | None,
) -> None:
    """Store the playlists, then the master; `key` if the segments are encrypted.

    Raises StorageError, and Cancelled when the job stops.
    """
    target = target_duration(renditions.values())
    playlists = {f"{name}/{PLAYLIST}": media_playlist(rendition, target, key) for name, rendition in renditions.items()}
    rungs = [renditions[rung.name] for rung in plan.rungs]
    playlists |= {f"{rung.name}/{KEY_FRAMES}": key_frame_playlist(rung, target, key) for rung in rungs if rung.has_key_frames}
    shipment.send(_written(playlists.items(), directory))
    shipment.send(_written([(MASTER, master_playlist(plan, renditions, subtitles))], directory))


def _written(texts: Collection[tuple[str, str]], directory: Path) -> list[tuple[str, Path]]:
    files = [(name, directory / f"{name}.ours") for name, _ in texts]
    for (_, path), (_, text) in zip(files, texts, strict=True):
        path.write_text(text)
    return files
