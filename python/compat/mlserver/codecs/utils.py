from .base import DecodedParameterName, SingleInputRequestCodec, get_decoded, get_decoded_or_raw, has_decoded

__all__ = ["DecodedParameterName", "SingleInputRequestCodec", "get_decoded", "get_decoded_or_raw", "has_decoded"]
