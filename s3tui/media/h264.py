"""Sequence parameter sets of H.264: which decoder a stream needs, and how large its pictures are (ITU-T H.264, 7.3.2.1.1)."""

from __future__ import annotations

from s3tui.errors import TranscodeError
from s3tui.media.bits import Bits
from s3tui.media.formats import VideoFormat

SLICE, IDR, PARAMETERS = 1, 5, 7
"""Types of units: a slice of a picture, one of a picture that stands for itself, a sequence parameter set."""

_LARGEST = 4096
"""Bytes of a parameter set that are looked at; real ones have less than 100."""
_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose parameter sets tell the chroma format."""
_MOST_REFERENCES = 255


def unit_type(header: int) -> int:
    """What a unit holds, by its first byte."""
    return header & 0x1F


def read_parameters(unit: bytes) -> VideoFormat:
    """What a sequence parameter set says, given with its one byte of header and without a start code.

    Raises TranscodeError (`incomplete`).
    """
    data = unit[:_LARGEST].replace(b"\0\0\x03", b"\0\0")
    if len(data) < 4 or unit_type(data[0]) != PARAMETERS:
        raise TranscodeError("The encoder's picture has no parameter set, so no player could decode it.", "incomplete")
    try:
        width, height = _size(Bits(data[4:]), profile=data[1])
    except IndexError:
        raise TranscodeError(
            "The parameter set of the encoder's picture breaks off; no player could decode it.", "incomplete"
        ) from None
    if width <= 0 or height <= 0:
        raise TranscodeError(f"The encoder's picture says that it has {width}x{height} pixels; nobody can show that.", "incomplete")
    return VideoFormat(profile=data[1], constraints=data[2], level=data[3], width=width, height=height)


def _size(bits: Bits, profile: int) -> tuple[int, int]:
    bits.unsigned()  # seq_parameter_set_id
    chroma = _chroma_format(bits) if profile in _WITH_CHROMA else 1
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_order_count(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.bit()  # gaps_in_frame_num_value_allowed_flag
    columns, rows = bits.unsigned() + 1, bits.unsigned() + 1
    fields = 2 - bits.bit()  # frame_mbs_only_flag
    if fields == 2:
        bits.bit()  # mb_adaptive_frame_field_flag
    bits.bit()  # direct_8x8_inference_flag
    left, right, top, bottom = (bits.unsigned() for _ in range(4)) if bits.bit() else (0, 0, 0, 0)
    across, down = {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    return 16 * columns - across * (left + right), fields * (16 * rows - down * (top + bottom))


def _chroma_format(bits: Bits) -> int:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.bit()  # separate_colour_plane_flag
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.bit()  # qpprime_y_zero_transform_bypass_flag
    if bits.bit():
        for index in range(12 if chroma == 3 else 8):
            if bits.bit():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, length: int) -> None:
    last = following = 8
    for _ in range(length):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order_count(bits: Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.bit()  # delta_pic_order_always_zero_flag
        bits.signed()  # offset_for_non_ref_pic
        bits.signed()  # offset_for_top_to_bottom_field
        for _ in range(min(bits.unsigned(), _MOST_REFERENCES)):
            bits.signed()
