"""Interviews and focus groups: what was asked, what came up, and how two coders marked it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.simulate import sentences
from bscstudy.simulate.fidelity import logistic
from bscstudy.simulate.population import Population, stream
from bscstudy.simulate.project_file import write_project
from bscstudy.simulate.writers import write_csv


@dataclass(frozen=True)
class Passage:
    """One coded passage: places are characters from 0, end exclusive."""

    code: str
    start: int
    end: int


@dataclass(frozen=True)
class Transcript:
    """One invented transcript with the first coder's passages."""

    document: str
    center: str
    wave: str
    kind: str
    role: str
    person: str
    text: str
    asked: dict
    passages: tuple[Passage, ...]


def write_interviews(folder: Path, parameters: dict, population: Population) -> list[Path]:
    """Write documents, questions asked, the first coder's project and the second coder's table."""
    transcripts = _transcripts(parameters, population)
    folder = folder / "interviews"
    documents = [(t.document, t.center, t.wave, t.kind, t.role, t.person, len(t.text.split())) for t in transcripts]
    asked = [(t.document, topic, flag) for t in transcripts for topic, flag in t.asked.items()]
    return [
        write_csv(
            pd.DataFrame(documents, columns=["document", "center", "wave", "type", "role", "person", "words"]), folder / "documents.csv"
        ),
        write_csv(pd.DataFrame(asked, columns=["document", "topic", "asked"]), folder / "asked.csv"),
        write_project(transcripts, folder / "coding_main.qdpx"),
        write_csv(_second_coder(parameters, transcripts), folder / "coding_second.csv"),
    ]


def _transcripts(parameters: dict, population: Population) -> list[Transcript]:
    random = stream(parameters, "interviews")
    directors = population.people[population.people["role"] == "director"].set_index(["center_id", "wave"])["person_id"]
    found = []
    for wave, employed in (("T2", "T1"), ("T4", "T4")):
        for center, engagement in population.centers[["center_id", "engagement"]].itertuples(index=False, name=None):
            for kind, role in (("interview", "director"), ("focus_group", "teacher")):
                name = f"{center}-{wave}-{'INT' if kind == 'interview' else 'GRP'}"
                person = directors[(center, employed)] if kind == "interview" else ""
                asked = _asked(parameters, wave, random)
                text, passages = _text_of(parameters, engagement, asked, wave, random)
                found.append(Transcript(name, center, wave, kind, role, person, text, asked, passages))
    return found


def _asked(parameters: dict, wave: str, random: np.random.Generator) -> dict:
    """Return which topics of the guide were asked; how to keep changes going is asked at follow-up only."""
    drawn = {theme.topic: int(random.random() < parameters["interviews"]["asked"]) for theme in sentences.THEMES.values()}
    return {topic: 0 if topic == "sustaining" and wave != "T4" else flag for topic, flag in drawn.items()}


def _text_of(parameters: dict, engagement: float, asked: dict, wave: str, random: np.random.Generator) -> tuple[str, tuple[Passage, ...]]:
    parts, passages, place = [], [], 0

    def say(text: str) -> tuple[int, int]:
        nonlocal place
        start = place
        parts.append(text)
        place += len(text)
        return start, place

    say(sentences.OPENING)
    for name, theme in sentences.THEMES.items():
        spec = parameters["interviews"]["themes"][name]
        if asked[theme.topic]:
            say(f"\n\nQ: {theme.question}\nA: {_one(sentences.FILLERS, random)} ")
            chance = logistic(spec["present"] + spec["engagement"] * engagement + (0.2 if wave == "T4" else 0.0))
        else:
            chance = parameters["interviews"]["unprompted"]
        comes_up = random.random() < chance
        for _ in range(int(random.integers(1, 4)) if comes_up else 0):
            helps = random.random() < logistic(spec["facilitator"] + spec["facilitator_engagement"] * engagement)
            code, remarks = theme.helps if helps or theme.hinders is None else theme.hinders
            passages.append(Passage(code, *say(_one(remarks, random))))
            say(f" {_one(sentences.FILLERS, random)} ")
    say("\n")
    return "".join(parts), tuple(passages)


def _one(choices: tuple[str, ...], random: np.random.Generator) -> str:
    return choices[int(random.integers(len(choices)))]


def _second_coder(parameters: dict, transcripts: list[Transcript]) -> pd.DataFrame:
    spec, random = parameters["interviews"], stream(parameters, "second coder")
    chosen = sorted(random.choice(len(transcripts), round(spec["second_coder"] * len(transcripts)), replace=False))
    rows = []
    for transcript in (transcripts[i] for i in chosen):
        for passage in transcript.passages:
            if random.random() < spec["second_keeps"]:
                rows.append((transcript.document, passage.code, passage.start, passage.end - int(random.integers(0, 4)), "coder_2"))
        for theme in sentences.THEMES.values():
            if transcript.asked[theme.topic] and random.random() < spec["second_adds"]:
                start = transcript.text.index(theme.question)
                rows.append((transcript.document, theme.helps[0], start, start + len(theme.question), "coder_2"))
    return pd.DataFrame(rows, columns=["Document name", "Code", "Beginning", "End", "Coder"])
