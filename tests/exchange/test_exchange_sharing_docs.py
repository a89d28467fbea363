"""The document of sharing tells the same story as the tables and terms, and every name in a table has a meaning."""

from pathlib import Path

import pytest

from huodang.exchange.sharing import CORRECTION, DEMAND, Process, SharingTermsError, product_terms, read_terms

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text(encoding="utf-8")
TERMS = Path(__file__).parents[2] / "src/huodang/exchange/sharing/data/terms.yaml"


@pytest.mark.parametrize("process", [DEMAND, CORRECTION])
def test_the_diagram_in_the_document_is_drawn_from_the_table(process: Process) -> None:
    assert f"```mermaid\n{process.mermaid_text()}```" in DOCUMENT


@pytest.mark.parametrize("process", [DEMAND, CORRECTION])
def test_every_term_stands_in_the_document_and_belongs_to_a_state(process: Process) -> None:
    for state, term in product_terms().of(process.name).items():
        assert f"| {process.states[state][0]} `{state}` | {term.days} |" in DOCUMENT
        # What may be overdue can be escalated, what lapses can lapse.
        assert process.rows(state, term.when_over)


@pytest.mark.parametrize("process", [DEMAND, CORRECTION])
def test_every_state_can_be_reached_and_every_word_is_in_both_languages(process: Process) -> None:
    reached = {state for _, state in process.ways_in}
    while more := {row.target for row in process.table if row.state in reached} - reached:
        reached |= more
    assert reached == set(process.states)
    assert {row.event for row in process.table} | {event for event, _ in process.ways_in} == set(process.events)
    for chinese, english in (*process.states.values(), *process.events.values()):
        assert chinese
        assert english.isascii()


def test_a_deployments_own_terms_count_and_broken_ones_are_refused_by_name(tmp_path: Path) -> None:
    text, file = TERMS.read_text(encoding="utf-8"), tmp_path / "terms.yaml"
    file.write_text(text.replace("{days: 2,  when_over: overdue", "{days: 3,  when_over: overdue"), encoding="utf-8")
    assert read_terms(file).demand["review"].days == 3
    for broken in (
        text.replace("  signing: ", "  singing: "),
        text.replace("days: 5", "days: -5"),
        text.replace("days: 5", "days: five"),
        text.replace("when_over: lapse", "when_over: never"),
        text.replace("yellow_when_left: 1", ""),
        "demand: [",
    ):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(SharingTermsError) as caught:
            read_terms(file)
        assert caught.value.place.file == str(file)
    with pytest.raises(SharingTermsError):
        read_terms(tmp_path / "nowhere.yaml")
