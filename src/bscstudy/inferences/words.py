"""The state of each meta-inference in words."""

from __future__ import annotations

from pathlib import Path

from bscstudy.inferences.signing import INFERENCES, published_now
from bscstudy.integrate.meta_inferences import PROPOSED, REFERS_TO_NOTHING, SIGNED, STALE, judge
from bscstudy.loading import load_study
from bscstudy.tables import read_table


def inferences_text(folder: Path) -> str:
    """Return one line for each meta-inference of a study, and below a stale one each value that changed, old and new.

    Raises
    ------
    BscError
        BSC-QUA-072 if nothing was published yet.
    """
    folder = Path(folder)
    inferences = load_study(folder / "config")["meta_inferences"]
    if not inferences:
        return "No meta-inference is written down (config/meta_inferences.yaml)."
    now = published_now(folder, inferences)
    known = read_table(folder / INFERENCES).set_index("inference")
    rule = {name: f"{row['fit_proposed']} ({row['rule']})" for name, row in known.to_dict("index").items()}
    return "\n".join(line for inference in inferences for line in _lines(inference, now[inference["id"]], rule))


def _lines(inference: dict, now: dict | None, rule: dict[str, str]) -> list[str]:
    name = inference["id"]
    if now is None:
        return [f"{name}: not judged yet; run `snakemake`"]
    judgement = judge(inference, now)
    by = f"{inference.get('fit')}, {inference.get('author')}, {inference.get('date')}"
    first = {
        PROPOSED: f"{name}: proposed, not signed; the rule says {rule[name]}",
        SIGNED: f"{name}: signed ({by})",
        STALE: f"{name}: stale ({by}); {len(judgement.changed)} of {len(judgement.values)} values changed",
        REFERS_TO_NOTHING: f"{name}: refers to nothing: {'; '.join(ref for ref, values in now.items() if values is None)}",
    }[judgement.state]
    changed = [f"  {v.reference}, {v.value}: {v.then or 'not there'} -> {v.now or 'not there'}" for v in judgement.changed]
    return [first, *changed]
