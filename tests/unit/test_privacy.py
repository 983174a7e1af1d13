"""Small cells and display codes."""

import pandas as pd

from bscstudy.privacy import display_codes, mask_counts


def test_small_counts_are_masked_and_zero_is_shown():
    frame = pd.DataFrame({"n": [0, 1, 4, 5, None]})
    assert mask_counts(frame, ["n"], 5)["n"].tolist() == [0, "<5", "<5", 5, None]


def test_one_masked_cell_cannot_be_found_by_subtraction():
    frame = pd.DataFrame({"theme": ["a"] * 4 + ["b"] * 3, "n": [2, 9, 7, 0, 1, 3, 8]})
    masked = mask_counts(frame, ["n"], 5, within=["theme"])["n"].tolist()
    assert masked == ["<5", 9, "hidden", 0, "<5", "<5", 8]  # in b two are masked already


def test_codes_depend_on_the_seed_and_the_ids_only():
    ids = [f"c{n}" for n in range(30)]
    codes = display_codes(ids, 1)
    assert codes == display_codes(ids[::-1], 1) and codes != display_codes(ids, 2)
    assert len(set(codes.values())) == 30 and {"A", "Z", "AA", "AD"} <= set(codes.values())
    assert [codes[name] for name in ids] != sorted(codes.values(), key=lambda code: (len(code), code))
