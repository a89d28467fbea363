"""The documents of clues and payment control tell the same story as tables, terms and templates."""

from pathlib import Path

import pytest

from huodang.supervision.clues import CLUES, Process, matters, product_clue_terms
from huodang.supervision.control import CONTROL, templates

DOCS = Path(__file__).parents[2] / "docs"
CLUE_PAGE = (DOCS / "clues.md").read_text(encoding="utf-8")
CONTROL_PAGE = (DOCS / "payment_control.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("process", "page"), [(CLUES, CLUE_PAGE), (CONTROL, CONTROL_PAGE)])
def test_the_diagram_in_the_document_is_drawn_from_the_table(process: Process, page: str) -> None:
    assert f"```mermaid\n{process.mermaid_text()}```" in page
    for chinese, english in (*process.states.values(), *process.events.values()):
        assert chinese
        assert english.isascii()


def test_terms_matters_and_letters_stand_in_the_documents() -> None:
    for state, term in product_clue_terms().terms.items():
        figures = f"{term.urgent} | {term.high} | {term.normal} | {term.look}"
        assert f"| {CLUES.states[state][0]} `{state}` | {figures} |" in CLUE_PAGE
        assert CLUES.rows(state, "overdue")
    for code, matter in matters().items():
        assert f"| {matter.chinese} `{code}` | {matter.english} | {'是' if matter.holds else '否'}" in CLUE_PAGE
    for kind, template in templates().kinds.items():
        assert f"| `{kind}` | {template.title.zh} | {template.title.en} |" in CONTROL_PAGE
