"""Fixtures shared by the tests of single modules."""

import re

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def gti_ratings(gti_folder):
    """The lesson ratings of the real study, one row for each lesson, rater and segment, read without the pipeline's own readers."""
    wide = pd.read_csv(gti_folder / "raw" / "GTI-VidComp-Data.csv", dtype={"IDRATER": str, "IDCNTRY": str}, low_memory=False)
    named = [re.fullmatch(r"C([A-Z]{2}[1-9][A-Z]{2})_S1", column) for column in wide.columns]
    components = [name[1] for name in named if name]
    keys = {"observation_id": wide["IDVIDEO"], "person_id": wide["T_ID"], "rater_id": wide["IDCNTRY"] + "-" + wide["IDRATER"]}
    parts = []
    for segment in range(1, 9):
        part = pd.DataFrame({**keys, "segment": str(segment), **{c: wide[f"C{c}_S{segment}"] for c in components}})
        parts.append(part[part[components].notna().any(axis=1)])
    return pd.concat(parts, ignore_index=True)
