"""Which of two media types a client would rather have (RFC 9110, 12.5.1)."""

from collections.abc import Iterator


def quality(media_type: str, accept: str) -> float:
    """How much an Accept header wants a media type: that of its most specific range that fits, 0 where none does."""
    kind = media_type.partition("/")[0]
    fitting = dict(_ranges(accept))
    return next((fitting[one] for one in (media_type, f"{kind}/*", "*/*") if one in fitting), 0.0)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            yield name, float(weight)
        except ValueError:
            yield name, 0.0
