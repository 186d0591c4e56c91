"""The command lines of ffmpeg, each for one purpose. Pure functions.

All that they write is named relative to the directory in which they run (see `encode.Encoder`), because the names of outputs are
patterns to ffmpeg; directories among them must exist before. The only name from outside is that of the source: see `opening`.
"""

from __future__ import annotations

from fractions import Fraction

from s3tui.media.opening import opening
from s3tui.media.plan import AudioRendition, Plan, Rung
from s3tui.media.source import Source
from s3tui.media.storyboard import Storyboard

POSTER = "poster.jpg"
STORYBOARD = "storyboard"
"""The directory of its sheets: `00001.jpg`."""

_MOST_SECONDS_TO_POSTER = 10
_TICKS = 90_000
_MICROSECONDS = 1_000_000


def hls(ffmpeg: str, source: Source, plan: Plan, *, threads: int = 0) -> list[str]:
    """Segments and media playlists of all renditions of the plan, from one reading of the source.

    `threads` for each encoder, 0 for as many as ffmpeg likes.
    """
    return [
        *_start(ffmpeg, threads),
        *opening(source.path),
        *(_copied_pictures(source) if plan.remuxes else _pictures(source, plan, threads)),
        *_sound(plan),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-max_muxing_queue_size", "2048"),
        *_segmenter(plan),
    ]


def poster(ffmpeg: str, source: Source, plan: Plan) -> list[str]:
    """One picture from near the beginning, in the size of the best rung: `POSTER`. ffmpeg may succeed without it."""
    best = plan.rungs[0]
    at = min(source.duration_us // 10, _MOST_SECONDS_TO_POSTER * _MICROSECONDS)
    return [
        *_start(ffmpeg, 0),
        *("-ss", f"{at}us"),
        *opening(source.path),
        *("-map", f"0:{source.video.index}", "-vf", ",".join([*_cleaned(source, plan, best), *_still(best)])),
        *("-frames:v", "1", "-q:v", "3", "-update", "1", "-f", "image2", POSTER),
    ]


def storyboard(ffmpeg: str, source: Source, plan: Plan, board: Storyboard) -> list[str]:
    """The sheets of the storyboard, from key frames alone: each picture is the last one before its stretch ends."""
    tile = Rung("", board.width, board.height, 0)
    chain = [
        f"fps=1/{board.seconds}:start_time=0:round=down:eof_action=pass",
        *_toned(source, plan, tile),
        *_still(tile),
        f"tpad=stop={board.count}:stop_mode=clone",  # key frames may end long before the video does
        f"trim=end_frame={board.count}",
        f"tile={board.columns}x{board.rows}",
    ]
    return [
        *_start(ffmpeg, 0),
        *("-skip_frame", "nokey"),
        *opening(source.path),
        *("-map", f"0:{source.video.index}", "-vf", ",".join(chain), "-fps_mode", "passthrough"),
        *("-q:v", "5", "-f", "image2", f"{STORYBOARD}/%05d.jpg"),
    ]


def subtitles(ffmpeg: str, source: Source, plan: Plan) -> list[str]:
    """The text subtitles of the plan as WebVTT: `subtitle_name` of each."""
    outputs = [
        argument
        for index in plan.subtitles
        for argument in ("-map", f"0:{index}", "-map_metadata", "-1", "-c:s", "webvtt", "-f", "webvtt", subtitle_name(index))
    ]
    return [*_start(ffmpeg, 0), *opening(source.path), *outputs]


def subtitle_name(index: int) -> str:
    """The file that the subtitle stream becomes."""
    return f"subtitles-{index}.vtt"


def _start(ffmpeg: str, threads: int) -> list[str]:
    command = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "warning", "-y", "-progress", "pipe:1", "-nostats"]
    return [*command, "-threads", str(threads), "-filter_complex_threads", str(threads)] if threads else command


def _copied_pictures(source: Source) -> list[str]:
    return ["-map", f"0:{source.video.index}", "-c:v:0", "copy"]


def _pictures(source: Source, plan: Plan, threads: int) -> list[str]:
    return [
        *("-filter_complex", _graph(source, plan)),
        *(argument for number, rung in enumerate(plan.rungs) for argument in _encoder(number, rung, plan, threads)),
    ]


def _graph(source: Source, plan: Plan) -> str:
    """Decoded once, cleaned once, then scaled for each rung."""
    numbered = list(enumerate(plan.rungs))
    shared = [*_cleaned(source, plan, plan.rungs[0], fps=plan.fps), f"split={len(numbered)}"]
    head = f"[0:{source.video.index}]{','.join(shared)}{''.join(f'[s{number}]' for number, _ in numbered)}"
    return ";".join([head, *(f"[s{number}]{','.join(_scaled(rung))}[v{number}]" for number, rung in numbered)])


def _cleaned(source: Source, plan: Plan, largest: Rung, fps: Fraction | None = None) -> list[str]:
    """Filters that make whole pictures of the planned rate in the colours of every screen."""
    whole = ["bwdif=mode=0"] if plan.deinterlaces else []
    paced = [f"fps={fps}"] if fps is not None else []
    return [*whole, *paced, *_toned(source, plan, largest)]


def _toned(source: Source, plan: Plan, largest: Rung) -> list[str]:
    """HDR to BT.709. It is the dearest filter of all, and needs no more pixels than the largest output has."""
    if not plan.tone_maps:
        return []
    return [
        f"setparams=color_primaries=bt2020:color_trc={source.video.transfer}:colorspace=bt2020nc",  # files tell half of it
        f"zscale=w={largest.width}:h={largest.height}:t=linear:npl=100",
        "format=gbrpf32le",
        "zscale=p=bt709",
        "tonemap=hable:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
    ]


def _scaled(rung: Rung) -> list[str]:
    return [f"scale={rung.width}:{rung.height}:flags=bicubic", "setsar=1", "format=yuv420p"]


def _still(rung: Rung) -> list[str]:
    """Scaled, in the matrix and the range that JPEG implies."""
    scale = f"scale={rung.width}:{rung.height}:flags=bicubic:out_color_matrix=bt601:out_range=full"
    return [scale, "setsar=1", "format=yuvj420p"]


def _encoder(number: int, rung: Rung, plan: Plan, threads: int) -> list[str]:
    """Closed groups of pictures of one length, and no others: segments then begin at the same times in all rungs."""
    options = {
        "-c": "libx264",
        "-preset": plan.preset,
        "-crf": "23",
        "-maxrate": str(rung.max_rate),
        "-bufsize": str(2 * rung.max_rate),
        "-profile": "high",
        "-g": str(plan.gop),
        "-keyint_min": str(plan.gop),
        "-sc_threshold": "0",
        "-flags": "+cgop",
    }
    if plan.tone_maps:
        options |= {"-colorspace": "bt709", "-color_primaries": "bt709", "-color_trc": "bt709"}  # ffmpeg 6 forgets it on the way
    if threads:
        options["-threads"] = str(threads)
    named = (argument for option, value in options.items() for argument in (f"{option}:v:{number}", value))
    return ["-map", f"[v{number}]", *named]


def _sound(plan: Plan) -> list[str]:
    """Each track once; once for each rung if it is muxed into them."""
    tracks = [track for _ in plan.rungs for track in plan.audio] if plan.muxes_audio else plan.audio
    return [argument for number, track in enumerate(tracks) for argument in _track(number, track, plan)]


def _track(number: int, track: AudioRendition, plan: Plan) -> list[str]:
    options = {"-c": "aac", "-ac": "2", "-ar": "48000", "-b": "128k"}
    if track.copies:
        options = {"-c": "copy"}
        if plan.segment_type != "ts":
            options["-bsf"] = "aac_adtstoasc"  # what AAC from MPEG-TS needs in MP4; other AAC passes as it is
    named = (argument for option, value in options.items() for argument in (f"{option}:a:{number}", value))
    return ["-map", f"0:{track.index}", *named]


def _segmenter(plan: Plan) -> list[str]:
    kind = ["mpegts"] if plan.segment_type == "ts" else ["fmp4", "-hls_fmp4_init_filename", "init.mp4"]
    return [
        *("-f", "hls", "-hls_time", _seconds_to_cut(plan.segment_seconds), "-start_number", "1"),
        *("-hls_playlist_type", "vod", "-hls_list_size", "0", "-hls_flags", "independent_segments+temp_file"),
        *("-hls_segment_type", *kind),
        *("-var_stream_map", _stream_map(plan), "-hls_segment_filename", f"%v/%05d{plan.suffix}", "%v/index.m3u8"),
    ]


def _stream_map(plan: Plan) -> str:
    """Which streams are together in which directory. Languages stand in our own playlists, and are no business of this one."""
    tracks = len(plan.audio)
    if plan.muxes_audio:
        own = ["".join(f",a:{rung * tracks + track}" for track in range(tracks)) for rung in range(len(plan.rungs))]
        return " ".join(f"v:{number}{own[number]},name:{rung.name}" for number, rung in enumerate(plan.rungs))
    group = ",agroup:aud" if tracks else ""
    video = (f"v:{number}{group},name:{rung.name}" for number, rung in enumerate(plan.rungs))
    audio = (f"a:{number}{group},name:{track.name}" for number, track in enumerate(plan.audio))
    return " ".join([*video, *audio])


def _seconds_to_cut(seconds: Fraction) -> str:
    """The length of a segment for ffmpeg, in decimals. It cuts at the first key frame that is not earlier: never a hair more.

    What is not whole in microseconds, or in the ticks of MPEG-TS, is a little less, since a key frame may be written a tick early.
    """
    microseconds = seconds * _MICROSECONDS
    if microseconds.denominator == 1 and (seconds * _TICKS).denominator == 1:
        exact = int(microseconds)
    else:
        exact = int(microseconds) - 2 * _MICROSECONDS // _TICKS
    return f"{exact // _MICROSECONDS}.{exact % _MICROSECONDS:06}"
