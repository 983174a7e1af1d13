"""Centers and people of the demonstration study: posts, who holds them in which wave, who answers, and what each thinks."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Population:
    """The invented world behind all files.

    Attributes
    ----------
    centers : DataFrame
        One row a center: center_id, collaborative, engagement (mean 0, SD 1 over centers), register columns.
    people : DataFrame
        One row a person and survey wave in which the person is employed: person_id, center_id, role, core (1/0), post, room, wave.
    levels : dict
        Construct -> array aligned with `people`: the latent value in that wave.
    center_values : DataFrame
        Center value of each construct (latent scale), indexed by center_id.
    """

    centers: pd.DataFrame
    people: pd.DataFrame
    levels: dict
    center_values: pd.DataFrame


def stream(parameters: dict, name: str) -> np.random.Generator:
    """Return the random stream of one job; adding a job changes no other stream."""
    return np.random.default_rng([int(parameters["seed"]), zlib.crc32(name.encode())])


def make_population(parameters: dict) -> Population:
    """Draw the centers, the people and their latent values."""
    centers = _centers(parameters)
    people = _people(parameters, centers)
    center_values = _center_values(parameters, centers)
    return Population(centers, people, latent_levels(parameters, centers, people, center_values), center_values)


def _centers(parameters: dict) -> pd.DataFrame:
    random = stream(parameters, "centers")
    rows = []
    for name, spec in parameters["collaboratives"].items():
        for number in range(1, spec["centers"] + 1):
            classrooms = int(random.integers(4, 11))
            rows.append(
                {
                    "center_id": f"{spec['prefix']}{number:02d}",
                    "collaborative": name,
                    "state": spec["state"],
                    "program_type": "head_start" if number % 2 else "child_care",
                    "enrollment": classrooms * int(random.integers(12, 18)),
                    "classrooms": classrooms,
                    "locale": str(random.choice(["city", "town", "rural"], p=[0.5, 0.3, 0.2])),
                    "accredited": int(random.random() < 0.5),
                }
            )
    centers = pd.DataFrame(rows)
    engagement = random.standard_normal(len(centers))
    centers["engagement"] = (engagement - engagement.mean()) / engagement.std()
    return centers


def _people(parameters: dict, centers: pd.DataFrame) -> pd.DataFrame:
    random = stream(parameters, "people")
    rows = []
    for center in centers["center_id"]:
        number = 0
        for role, (fewest, most) in parameters["staff"]["posts"].items():
            for place in range(int(random.integers(fewest, most + 1))):
                holders = _holders(parameters["staff"], role, place, random)
                names: dict[int, str] = {}
                for wave, (holder, core) in holders.items():
                    if holder not in names:
                        number += 1
                        names[holder] = f"{center}-P{number:02d}"
                    room = f"{center}-R{place + 1}" if role == "teacher" and place < 2 else ""
                    rows.append((names[holder], center, role, core, f"{role}{place}", room, wave))
    return pd.DataFrame(rows, columns=["person_id", "center_id", "role", "core", "post", "room", "wave"])


def _holders(staff: dict, role: str, place: int, random: np.random.Generator) -> dict[str, tuple[int, int]]:
    """Return who holds a post in each wave: wave -> (number of the holder, in the core team); a wave is absent where the post is empty."""
    holder, core, held = 0, int(place < staff["core_posts"].get(role, 0)), {"T1": (0, int(place < staff["core_posts"].get(role, 0)))}
    fixed = role == "director" or (role == "teacher" and place < 2)
    empty = False
    for wave in ("T3", "T4"):
        leaves = random.random() < staff["director_turnover" if role == "director" else "turnover"][wave]
        stays_empty = random.random() < staff["vacancy"] and not fixed
        joins_core = random.random() < staff["successor_joins_core"] or role == "director"
        if leaves or empty:
            empty = stays_empty
            holder += 1
            core = int(core and joins_core)
        if not empty:
            held[wave] = (holder, core)
    return held


def _center_values(parameters: dict, centers: pd.DataFrame) -> pd.DataFrame:
    random = stream(parameters, "center values")
    values = {name: random.standard_normal(len(centers)) * parameters["latent"]["sd_center"] for name in parameters["constructs"]}
    return pd.DataFrame(values, index=pd.Index(centers["center_id"]))


def expected_level(parameters: dict, construct: str, role: str, core: int, wave: str) -> float:
    """Return the mean latent value of one kind of person, over centers, people and occasions."""
    spec = parameters["constructs"][construct]
    change = spec["change"]["core" if core else "other"].get(wave, 0.0)
    own = spec["mean"] + spec["core"] * core + spec["role"].get(role, 0.0) + change
    rules = parameters["facilitators"]
    if construct == rules["onto"]:
        others = parameters["constructs"]
        own += sum(b * (expected_level(parameters, c, role, core, wave) - others[c]["mean"]) for c, b in rules["from"].items())
    return own


def latent_levels(parameters: dict, centers: pd.DataFrame, people: pd.DataFrame, center_values: pd.DataFrame) -> dict:
    """Draw every person's latent value in every wave, construct by construct."""
    latent, rules = parameters["latent"], parameters["facilitators"]
    order = [c for c in parameters["constructs"] if c != rules["onto"]] + [rules["onto"]]
    after = people["wave"].isin(["T3", "T4"]).to_numpy()
    engagement = people["center_id"].map(centers.set_index("center_id")["engagement"]).to_numpy()
    levels, deviations = {}, {}
    for construct in order:
        random = stream(parameters, f"latent {construct}")
        expected = _expected_of_rows(parameters, construct, people)
        persons = pd.Series(random.standard_normal(people["person_id"].nunique()), index=people["person_id"].unique())
        deviation = (
            center_values[construct].loc[people["center_id"]].to_numpy() + latent["sd_person"] * people["person_id"].map(persons).to_numpy()
        )
        deviation = deviation + latent["sd_occasion"] * random.standard_normal(len(people))
        if construct == rules["onto"]:
            deviation = deviation + sum(b * deviations[c] for c, b in rules["from"].items())
            deviation = deviation + rules["engagement_after"] * engagement * after
        deviations[construct] = deviation
        levels[construct] = expected + deviation
    return levels


def _expected_of_rows(parameters: dict, construct: str, people: pd.DataFrame) -> np.ndarray:
    kinds = people[["role", "core", "wave"]].drop_duplicates()
    known = {k: expected_level(parameters, construct, *k) for k in kinds.itertuples(index=False, name=None)}
    return np.array([known[k] for k in people[["role", "core", "wave"]].itertuples(index=False, name=None)])
