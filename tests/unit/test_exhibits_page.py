"""Tables as HTML and CSV, figures as bytes, and the report as one page."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from exhibit_study import CONFIG, context, estimates, fits, flow

from bscstudy.errors import BscError
from bscstudy.exhibits import change_by_wave, markup, record, report, style
from bscstudy.exhibits.base import Exhibit, check_exhibit, footnote_mark
from bscstudy.steps.make_exhibits import context_of
from bscstudy.steps.write_report import _in_order


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]


@pytest.fixture(scope="module")
def page():
    shown = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()}, context("F2_change", kind="change_by_wave"))
    here = context("F2_change", kind="change_by_wave")
    parts = report.ReportParts(
        records=[record.of(shown, here, has_figure=True)],
        fragments={"F2_change": markup.table_fragment(shown, here)},
        images={"F2_change": style.figure_bytes(shown.figure, "svg")},
        config=CONFIG,
        fits=fits(),
        summary=None,
        flow=flow(),
        digest="0123456789abcdef",
        software=[("Python", "3")],
        checklists=[{"title": "COREQ: criteria", "name": "coreq", "n": 32, "filled": 2, "partly": 9, "author": 21}],
    )
    return report.render(parts)


def test_the_page_says_how_much_of_each_checklist_is_filled(page):
    row = page[page.index('id="checklists-caption"') :]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row)[:5] == ["32", "2", "9", "21", "checklists/coreq.md"]
    assert '<th scope="row">COREQ: criteria</th>' in row and 'href="#checklists"' in page


def test_the_page_is_a_page(page):
    parsed = _Page(page)
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("h1") == 1 and tags.count("main") == 1 and tags.count("nav") == 1 and dict(parsed.tags)["html"] == {"lang": "en"}
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(attributes["alt"] for tag, attributes in parsed.tags if tag == "img")
    anchors = [a["href"][1:] for tag, a in parsed.tags if tag == "a"]
    assert set(anchors) <= set(parsed.ids)


def test_the_page_needs_nothing_outside_itself(page):
    parsed = _Page(page)
    links = [a.get("src") or a.get("href") for tag, a in parsed.tags if tag in ("img", "link", "script", "iframe", "a")]
    assert all(link.startswith(("data:", "#")) for link in links) and "<script" not in page and "url(" not in page


def test_the_page_says_what_it_is_and_what_cannot_be_said(page):
    assert page.count("SYNTHETIC DATA: made by a simulation") >= 3 and "<title>SYNTHETIC: Tiny study" in page
    assert "There was no comparison group" in page and "the two optimisers disagree" in page
    assert re.search(r"\beffects?\b", re.sub(r"base64,[^\"]*", "", page)) is None


def test_the_page_names_no_excluded_person(page):
    assert "A01-P07" not in page and "second form" in page


def test_study_words_are_escaped():
    shown = Exhibit(pd.DataFrame({"<b>": ["<script>"], "n": ["<5"]}), "A & B", {"n": "<5"})
    text = markup.table_fragment(shown, context())
    assert "<script>" not in text and "&lt;script&gt;" in text and "A &amp; B" in text and 'class="number">&lt;5' in text


def test_grouped_tables_have_scoped_headers():
    shown = Exhibit(pd.DataFrame({"g": ["x", "x", "y"], "row": ["1", "2", "3"], "v": ["a", "b", "c"]}), "c", group_by="g")
    text = markup.table_fragment(shown, context())
    assert text.count('scope="rowgroup"') == 2 and text.count('scope="row"') == 3 and text.count('scope="col"') == 2


def test_csv_has_a_plain_minus_and_the_mark():
    shown = Exhibit(pd.DataFrame({"a": ["−0.50", None]}), "c")
    assert markup.table_csv(shown, context()) == "a,data\n-0.50,SYNTHETIC\n,SYNTHETIC\n"


def test_fragment_comes_back_from_its_page():
    shown = Exhibit(pd.DataFrame({"a": ["1"]}), "c")
    fragment = markup.table_fragment(shown, context())
    assert markup.fragment_of(markup.page(fragment, context())) == fragment


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_figure_gives_the_same_bytes(kind):
    def once():
        shown = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()}, context())
        return style.figure_bytes(shown.figure, kind)

    first = once()
    assert first == once() and b"Matplotlib" not in first and b"dc:date" not in first


def test_footnote_marks_go_on_after_z():
    assert [footnote_mark(i) for i in (0, 25, 26, 52)] == ["[a]", "[z]", "[aa]", "[ba]"]


@pytest.mark.parametrize("options", ["by", "by=role; by=wave", "=x"])
def test_unreadable_options_are_refused(options):
    row = {"exhibit": "T1", "kind": "sample_flow", "title": "t", "section": "s", "options": options}
    with pytest.raises(BscError, match="BSC-CFG-080"):
        context_of(row, CONFIG)


def test_an_exhibit_without_rows_is_refused():
    with pytest.raises(BscError, match="BSC-DAT-090"):
        check_exhibit(Exhibit(pd.DataFrame({"a": []}), "c"), context(), False)


def test_a_report_that_lacks_an_exhibit_is_refused():
    with pytest.raises(BscError, match="BSC-CFG-082"):
        _in_order({}, [{"exhibit": "T1", "order": 1}])


def test_places_in_a_figure_are_rounded_because_the_layout_solver_varies_in_the_last_bits():
    figure = change_by_wave.build({"models/estimates": estimates(), "models/fits": fits()}, context()).figure
    style.figure_bytes(figure, "svg")
    bounds = figure.axes[0].get_position(original=True).bounds
    # 1e-12: adding corners in floating point; the solver's own noise without rounding leaves digits beyond the fifth
    assert all(abs(value - round(value, 5)) < 1e-12 for value in bounds)
