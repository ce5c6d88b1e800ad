"""Old name of :mod:`cfc_ref.datasets.xor`, kept for one version."""

from cfc_ref.datasets.xor import PARTS, STEPS, BitStreams, draw_bit_streams, official_bit_streams

__all__ = ["PARTS", "STEPS", "BitStreams", "draw_bit_streams", "official_bit_streams"]
