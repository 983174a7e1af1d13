"""No denied name, place or contact comes through a scrub, however it is written; ordinary words do."""

import random
import unicodedata

import pytest

from bscstudy.errors import BscError
from bscstudy.qual.deny_list import read_deny_list, read_key
from bscstudy.qual.folding import fold, plain
from bscstudy.qual.scrub import MARKER, Denied, DenyList, residue, scrub

TERMS = ["María López-Müller", "O'Brien", "Quintanilla", "Zoë", "Grace Hill Preschool", "Ypsilanti"]
KINDS = ["name", "name", "name", "name", "center", "place"]
DENY = DenyList(
    [*map(Denied, TERMS, KINDS, KINDS), Denied("A01-P07", "id", "id"), Denied("Isa", "name", "name"), Denied("田中", "name", "name")]
)


@pytest.mark.parametrize(
    "text",
    [
        "María", "maria", "MARÍA", "Mari\u0301a", "Maria's", "Maria\u2019s", "Marias", "Ma\u200bria", "Ma\u00adria", "Ma-\nria",
        "Ma- ria", "M a r i a", "M.a.r.i.a", "\uff2d\uff41\uff52\uff49\uff41", "\u041caria", "M\u0430ri\u0430", "(Maria)", "@maria",
        "_Maria_", "Maria-led", "Lopez", "López-Müller", "lopezmueller", "Mueller", "MULLER", "Mu\u0308ller's", "MariaLopezMuller",
        "O\u2019Brien", "OBrien", "O Brien's", "o-brien", "\u039f'Brien", "Zoe", "zo\u00eb", "ZOE\u0301", "Grace  Hill Preschool",
        "grace-hill-preschool", "GraceHillPreschool's", "ypsi-\n lanti", "a01-p07", "A01P07", "A01_P07", "Isa", "ISA'S",
        "\u2068Isa\u2069", "田中さん",
    ],
)  # fmt: skip
def test_planted_names_never_come_through(text):
    for sentence in (text, f"then {text} said so", f"we told {text}, and left."):
        shown = scrub(sentence, DENY).text
        assert MARKER.search(shown) and not residue(shown, DENY)
        assert not set(fold(MARKER.sub(" ", shown)).text.replace("-", " ").split()) - {
            "then",
            "said",
            "so",
            "we",
            "told",
            "and",
            "left",
            "led",
            "さん",
        }


def test_no_denied_term_is_left_under_normalisation():
    """Property: letters of a text without markers, as Unicode alone folds them, hold no denied term, whatever disguise it wore."""
    draw = random.Random(5)
    words = "the team met on time when rooms were quiet but nobody could cover them".split()
    bare = {"".join(c for c in unicodedata.normalize("NFKD", t.casefold()) if c.isascii() and c.isalnum()) for t in TERMS}
    for _ in range(1500):
        term = draw.choice([*TERMS, *TERMS[0].replace("-", " ").split()])
        planted = f"{' '.join(draw.choices(words, k=3))} {disguised(term, draw)} {' '.join(draw.choices(words, k=3))}"
        shown = scrub(planted, DENY).text
        letters = "".join(
            c for c in unicodedata.normalize("NFKD", MARKER.sub("|", shown).casefold()) if c == "|" or (c.isascii() and c.isalnum())
        )
        assert "|" in letters and not any(name in letters for name in bare | {"maria", "lopez", "muller", "mueller"}), ascii(planted)
        assert scrub(shown, DENY).text == shown


def disguised(term, draw):
    letters = []
    for letter in term:
        letter = draw.choice([letter, letter.upper(), letter.lower(), unicodedata.normalize("NFD", letter)])
        if draw.random() < 0.15:
            letter = unicodedata.normalize("NFD", letter)[0]
        hidden = (
            draw.choice(["\u200b", "\u200d", "\u00ad", "\ufeff", "\u2060", "-", "-\n", "'"])
            if draw.random() < 0.15 and letter.isalpha()
            else ""
        )
        letters.append(letter + hidden)
    text = "".join(letters).rstrip("-\n'")
    return text + draw.choice(["", "'s", "\u2019s", ",", ".", "-led"])


def test_ordinary_words_stay():
    said = "This is a test; I saw a street, the hill and some grace. We may go in a minute, 24/7, one of us."
    assert scrub(said, DENY).text == said and scrub(said, DENY).n_replaced == 0 and not residue(said, DENY)


@pytest.mark.parametrize(
    "text, marker",
    [
        ("write to j.doe+x@kids.example.org", "mail"), ("j.doe (at) kids (dot) org", "mail"), ("jdoe at kids dot org", "mail"),
        ("jdoe\uff20kids.org", "mail"), ("jdoe @ kids . org", "mail"),
        ("see https://kids.org/a?b=1", "link"), ("www.kids.org", "link"), ("kids.org/staff", "link"), ("@kids_team", "link"),
        ("(313) 555-0199", "number"), ("+1 313.555.0199", "number"), ("555-0199", "number"),
        ("\uff13\uff11\uff13 5550199", "number"), ("48109", "number"),
        ("May 3, 2024", "date"), ("3rd of June", "date"), ("2024-05-03", "date"), ("5/3/24", "date"), ("in 2019", "date"),
        ("3 de mayo de 2021", "date"),
        ("she is 34", "age"), ("I'm fifty-two", "age"), ("a 4-year-old", "age"), ("thirty-four years old", "age"),
        ("aged 61", "age"), ("tengo 34 años", "age"),
        ("12 Oak Park Street", "place"), ("1408 N. Elm Ave.", "place"),
    ],
)  # fmt: skip
def test_contact_data_dates_ages_and_addresses_are_found(text, marker):
    shown = scrub(f"so {text} then", DENY).text
    assert f"[{marker}]" in shown and not any(c.isdigit() for c in shown) and "kids" not in shown


@pytest.mark.parametrize(
    "text", ["QuintanillaMaria came", "the YPSILANTIANS", "Grace Hill Preschool", "maria", "Ma-ria", "O\u2019Brien\u2019s"]
)
def test_residue_sees_what_a_scrub_would_have_missed(text):
    assert residue(text, DENY) and not residue(
        "quintanillas apart, [name] and [place AAAAAAA2] are fine".replace("quintanillas apart", "they"), DENY
    )


def test_invisible_characters_are_gone():
    assert plain("a\u200bb\u2066c\x00\ufe0f") == "abc"


def test_pseudonyms_are_stable_and_keyed(tmp_path):
    path = tmp_path / "deny.csv"
    path.write_text("term,kind,same_as\nMaria Lopez,name,\nMari,name,Maria Lopez\nZoë,name,\n", encoding="utf-8")

    def shown(key):
        return scrub("Mari, Maria, Zoe", read_deny_list(path, key, [])).text.split(", ")

    first, other = shown(b"k" * 16), shown(b"x" * 16)
    assert first[0] == first[1] != first[2] and first == shown(b"k" * 16) and set(first).isdisjoint(other) and MARKER.fullmatch(first[0])
    assert shown(b"") == ["[name]"] * 3


@pytest.mark.parametrize(
    "content, code",
    [
        (None, "BSC-CFG-294"), ("name\nMaria\n", "BSC-CFG-294"), ("term,kind\nMaria,person\n", "BSC-CFG-295"),
        ("term,kind\n ,name\n", "BSC-CFG-295"), ("term,kind,same_as\nMaria,name,Mary\n", "BSC-CFG-295"),
    ],
)  # fmt: skip
def test_a_deny_list_that_cannot_be_used_is_refused_without_its_content(tmp_path, content, code):
    path = tmp_path / "deny.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BscError) as error:
        read_deny_list(path, b"", [])
    assert error.value.code == code and "Mar" not in str(error.value)


def test_short_ids_are_not_taken_from_every_sentence():
    deny = read_deny_list_of(["12", "of", "A1", "C", "north"])
    assert scrub("12 of A1 C north", deny).text == "12 of [id] C [id]"


def read_deny_list_of(ids):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "deny.csv"
        path.write_text("term,kind\n", encoding="utf-8")
        return read_deny_list(path, b"", ids)


@pytest.mark.parametrize(
    "place, content, code", [("study/key", b"k" * 32, "BSC-CFG-296"), ("key", b"short", "BSC-CFG-297"), ("absent", None, "BSC-CFG-297")]
)
def test_a_key_must_be_long_and_lie_outside(tmp_path, place, content, code):
    (tmp_path / "study").mkdir()
    if content:
        (tmp_path / place).write_bytes(content)
    with pytest.raises(BscError) as error:
        read_key(tmp_path / place, tmp_path / "study")
    assert error.value.code == code
