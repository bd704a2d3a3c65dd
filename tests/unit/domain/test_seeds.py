"""Seeds that follow from a study's."""

from hashlib import blake2b

from service.domain.seeds import derived_seed


def test_a_seed_is_told_by_the_studys_and_by_what_it_is_for() -> None:
    assert derived_seed(7, 3) == int.from_bytes(blake2b(b"7/3", digest_size=4).digest(), "big")
    for_all = [derived_seed(study, *place) for study in (7, 8) for place in ((3,), ("confirmation", 3), ("split", 3))]
    assert len(set(for_all)) == len(for_all)
    assert all(0 <= seed < 2**32 for seed in for_all)
