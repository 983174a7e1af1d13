"""Small cells and display codes."""

import itertools

import pandas as pd
import pytest

from bscstudy.privacy import display_codes, mask_counts, possible_counts, sum_is_safe


def test_small_counts_are_masked_and_zero_is_shown():
    frame = pd.DataFrame({"n": [0, 1, 4, 5, None]})
    assert mask_counts(frame, ["n"], 5)["n"].tolist() == [0, "<5", "<5", 5, None]


def test_one_masked_cell_cannot_be_found_by_subtraction():
    frame = pd.DataFrame({"theme": ["a"] * 4 + ["b"] * 3, "n": [2, 9, 7, 0, 1, 3, 8]})
    masked = mask_counts(frame, ["n"], 5, within=["theme"])["n"].tolist()
    assert masked == ["<5", 9, "hidden", 0, "<5", "<5", "hidden"]  # in b two are masked, but 12 - 8 = 4 says that neither is 4


def test_where_no_masking_protects_a_sum_nobody_learns_which_counts_are_small():
    frame = pd.DataFrame({"theme": ["a", "a", "b", "b", "b", "c"], "n": [4, 4, 2, 5, 0, 3]})
    masked = mask_counts(frame, ["n"], 5, within=["theme"])["n"].tolist()
    assert masked == ["hidden", "hidden", "hidden", "hidden", 0, "<5"]  # 8 is 4 + 4 alone; the total of c is masked too


@pytest.mark.parametrize("min_cell", [3, 4])
def test_a_sum_is_safe_if_its_masked_parts_can_be_any_small_count(min_cell):
    sizes = range(1, 3 * min_cell)
    for parts in itertools.chain(itertools.product(sizes, repeat=2), itertools.combinations_with_replacement(sizes, 3)):
        small, hidden = [n for n in parts if n < min_cell], [n for n in parts if n >= min_cell]
        if not small:
            continue
        ends = [range(1, min_cell)] * len(small) + [range(min_cell, sum(parts))] * len(hidden)
        possible = [other for other in itertools.product(*ends) if sum(other) == sum(parts)]
        wanted = all({other[i] for other in possible} == set(range(1, min_cell)) for i in range(len(small)))
        assert sum_is_safe(small, hidden, min_cell) == wanted, parts
        groups = {f"g{i}": {str(i)} for i in range(len(parts))} | {"sum": {str(i) for i in range(len(parts))}}
        known = {f"g{i}": (1, min_cell - 1) if i < len(small) else (min_cell, 10**6) for i in range(len(parts))}
        least, most = possible_counts("g0", known | {"sum": (sum(parts),) * 2}, groups)
        assert {least, most} == {min(o[0] for o in possible), max(o[0] for o in possible)}


def test_codes_depend_on_the_seed_and_the_ids_only():
    ids = [f"c{n}" for n in range(30)]
    codes = display_codes(ids, 1)
    assert codes == display_codes(ids[::-1], 1) and codes != display_codes(ids, 2)
    assert len(set(codes.values())) == 30 and {"A", "Z", "AA", "AD"} <= set(codes.values())
    assert [codes[name] for name in ids] != sorted(codes.values(), key=lambda code: (len(code), code))
