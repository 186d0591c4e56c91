"""Descriptions of AAC: which decoder a stream needs, and its channels (ISO 14496-3, 1.6.2.1 and 1.A.2)."""

from __future__ import annotations

from s3tui.media.bits import Bits
from s3tui.media.formats import AudioFormat

_SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_RATE_FOLLOWS = 15
_TYPE_FOLLOWS = 31
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
"""By configuration; of the first the stream itself tells the channels."""
_SYNC = 0xFFF


def read_configuration(data: bytes) -> AudioFormat:
    """What an AudioSpecificConfig says. Raises IndexError."""
    bits = Bits(data)
    object_type = bits.bits(5)
    if object_type == _TYPE_FOLLOWS:
        object_type = 32 + bits.bits(6)
    index = bits.bits(4)
    rate = bits.bits(24) if index == _RATE_FOLLOWS else _SAMPLE_RATES[index]
    return AudioFormat(object_type, _CHANNELS[bits.bits(4)], rate)


def read_header(data: bytes) -> AudioFormat:
    """What the header of an ADTS frame says. Raises IndexError, ValueError."""
    bits = Bits(data)
    if bits.bits(12) != _SYNC:
        raise ValueError("sound that is no AAC")
    bits.bits(4)  # version, layer, protection
    object_type = bits.bits(2) + 1
    rate = _SAMPLE_RATES[bits.bits(4)]
    bits.bit()  # private
    return AudioFormat(object_type, _CHANNELS[bits.bits(3)], rate)
