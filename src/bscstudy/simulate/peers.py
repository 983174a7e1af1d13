"""Who turns to whom: core team members name colleagues of their own and of other centers, more of the others after the collaborative."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.writers import write_csv

#: who is in no roster, as somebody writes who names a colleague of another program
STRANGER = "X99-P{number:02d}"


def write_peers(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write the nominations of all waves, one row a form."""
    forms = pd.concat([_forms(parameters, population, wave) for wave in parameters["peers"]["response"]], ignore_index=True)
    return [write_csv(forms, folder / "fidelity/peer_nominations.csv")]


def _forms(parameters: dict, population: Population, wave: str) -> pd.DataFrame:
    spec, random = parameters["peers"], stream(parameters, f"peers {wave}")
    people = population.people[population.people["wave"] == wave].sort_values("person_id")
    people = people.assign(collaborative=people["center_id"].map(population.centers.set_index("center_id")["collaborative"]))
    core = people[people["core"] == 1]
    answered = core[random.random(len(core)) < spec["response"][wave]]
    named = np.full((len(answered), spec["names"]), "", dtype=object)
    named_by: dict[str, set[str]] = {person: set() for person in people["person_id"]}
    for row, (person, center, collaborative) in enumerate(
        answered[["person_id", "center_id", "collaborative"]].itertuples(index=False, name=None)
    ):
        at_home = people.loc[(people["center_id"] == center) & (people["person_id"] != person), "person_id"]
        elsewhere = core.loc[(core["collaborative"] == collaborative) & (core["center_id"] != center), "person_id"]
        n_names = random.binomial(spec["names"], spec["named"])
        n_elsewhere = random.binomial(n_names, spec["cross_center"][wave])
        chosen = [
            str(one)
            for group, n in ((at_home, n_names - n_elsewhere), (elsewhere, n_elsewhere))
            for one in random.choice(group, n, replace=False, p=_chances(group, named_by[person], spec["returned"]))
        ]
        named[row, : len(chosen)] = random.permutation(chosen)
        for one in chosen:
            named_by[one].add(person)
    _spoil(named, answered["person_id"].to_numpy(), spec, wave, random)
    forms = pd.DataFrame({"person": answered["person_id"].to_numpy(), "center": answered["center_id"].to_numpy(), "wave": wave})
    return forms.assign(**{f"turns_to_{place + 1}": named[:, place] for place in range(spec["names"])})


def _chances(people: pd.Series, named_by: set[str], returned: float) -> np.ndarray:
    """Return the chance of each to be named: `returned` times as high for those who named the person who answers."""
    weights = np.where(people.isin(named_by), returned, 1.0)
    return weights / weights.sum()


def _spoil(named: np.ndarray, who: np.ndarray, spec: dict, wave: str, random: np.random.Generator) -> None:
    """Put names of strangers, of the person who answers, and small letters into different cells, as often as the parameters say."""
    places = list(random.permutation(np.argwhere(named != "")))
    for number in range(spec["strangers"][wave]):
        named[tuple(places.pop())] = STRANGER.format(number=number + 1)
    for _ in range(spec["themselves"][wave]):
        row, column = places.pop()
        named[row, column] = who[row]
    for _ in range(spec["small_letters"][wave]):
        row, column = places.pop()
        named[row, column] = named[row, column].lower()
