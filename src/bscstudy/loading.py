"""A study's configuration checked as a whole before anything uses it; every fault of one kind is raised once."""

from __future__ import annotations

from pathlib import Path

from bscstudy.config import TABLE_FILES, YAML_FILES, read_study
from bscstudy.errors import BscError
from bscstudy.integrate.meta_inferences import check_signatures
from bscstudy.io.crosswalk import check_crosswalks
from bscstudy.io.harmonisation_checks import check_harmonisation
from bscstudy.io.instrument_versions import check_versions
from bscstudy.references import check_references
from bscstudy.schema_check import check_against_schemas


def load_study(folder: Path) -> dict:
    """Read and check a study's whole configuration.

    Parameters
    ----------
    folder : Path
        The folder ``config`` of the study.

    Returns
    -------
    dict
        Section name -> content, as listed in docs/architecture.md section 3.

    Raises
    ------
    BscError
        BSC-CFG-005 a file is absent; BSC-CFG-001 a file cannot be read; BSC-CFG-002 a key, value or column is not as the schema says;
        BSC-CFG-003 something refers to what does not exist; BSC-SRC-081 and -082 a crosswalk whose order would decide;
        BSC-CFG-083 and -084 a version that contradicts itself or the waves; BSC-CFG-085 and -086 a map between versions that cannot be
        followed; BSC-QUA-070 and -071 a signature of a meta-inference that is not whole or was edited.
        All findings of a kind come together.
    """
    folder = Path(folder)
    _require_files(folder)
    check_against_schemas(folder)
    study = read_study(folder)
    check_references(study)
    check_crosswalks(study["crosswalks"], study["ids"])
    check_versions(study)
    check_harmonisation(study)
    check_signatures(study["meta_inferences"])
    return study


def _require_files(folder: Path) -> None:
    wanted = [n for n, (_, required, _) in YAML_FILES.items() if required] + [n for n, required in TABLE_FILES.values() if required]
    absent = [str(folder / name) for name in wanted if not (folder / name).is_file()]
    if absent:
        raise BscError(
            "BSC-CFG-005",
            f"{len(absent)} file(s) of the configuration are missing.",
            tuple(absent),
            "A study is described by its configuration; without it nothing can be read or scored.",
            "Run inside a study's folder, or write a commented starting folder with `bscstudy new-study DIR`.",
        )
