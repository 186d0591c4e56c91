"""Options of the job kinds, as people write them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from s3tui.config import load_settings
from s3tui.jobs.options import VideoOptions
from s3tui.jobs.specs import decode_spec, encode_spec
from s3tui.jobs.video import VideoSpec
from s3tui.media.ladder import Choices


def test_options_of_videos_are_what_a_plan_is_made_with() -> None:
    assert _spec(VideoOptions()).choices == Choices()
    chosen = _spec(VideoOptions(segment_type="ts", segment_seconds=6, ladder="480,720", preset="fast")).choices
    assert chosen == Choices(segment_type="ts", segment_seconds=6, heights=(720, 480), preset="fast")


def _spec(options: VideoOptions) -> VideoSpec:
    """What `Runtime.video_spec` makes of them."""
    return VideoSpec(("/film.mp4",), "s3://bucket/", **options.model_dump(exclude={"concurrent", "ffmpeg"}))


@pytest.mark.parametrize(
    "options", [{"ladder": "720p"}, {"ladder": ""}, {"preset": "fast -f x"}, {"segment_seconds": 0}, {"hls_key_url": 'a"b'}]
)
def test_options_that_ffmpeg_would_not_take_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VideoOptions.model_validate(options)


def test_the_key_is_no_part_of_a_spec_but_its_path_is() -> None:
    spec = _spec(VideoOptions(segment_type="ts", hls_key="/none/film.key", hls_key_url="/k"))
    assert decode_spec("video", encode_spec(spec)) == spec
    assert (spec.hls_key, spec.hls_key_url) == ("/none/film.key", "/k")


def test_ffmpeg_is_named_by_the_setting_or_by_a_short_variable() -> None:
    assert load_settings(environment={"S3TUI_FFMPEG": "/one"}).settings.video.ffmpeg == "/one"
    assert load_settings(environment={"S3TUI_FFMPEG": "/one", "S3TUI_VIDEO__FFMPEG": "/two"}).settings.video.ffmpeg == "/two"
