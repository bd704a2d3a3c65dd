"""Seeds that follow from a study's own: the same for whoever asks, unlike for what differs."""

from hashlib import blake2b


def derived_seed(study_seed: int, *place: str | int) -> int:
    """32 bits that depend on the study's seed and on what they are for only."""
    text = "/".join(str(part) for part in (study_seed, *place))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")
