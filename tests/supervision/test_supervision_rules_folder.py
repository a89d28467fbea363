"""A county's own rules: accepted when they find exactly what they plant, refused alone and loudly otherwise."""

import re
import textwrap
from pathlib import Path

import pytest
from rule_tables import Sheets, asked, findings, person

from huodang.supervision.rules import RuleFileError, rules_of_folder

EXAMPLE = Path(__file__).parents[2] / "docs/check_rules.md"


def example() -> str:
    """The rule that the docs show."""
    found = re.search(r"```python\n(.*?)```", EXAMPLE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def folder_with(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_rule_of_the_docs_is_accepted_and_finds_what_it_says(tmp_path):
    own = rules_of_folder(folder_with(tmp_path, centenarians=example()))
    assert own.refused == ()
    (one,) = own
    sheets = Sheets()
    old, young = sheets.pay(person(1, born=19200101)), sheets.pay(person(1, born=19550101))
    found = findings(one, sheets.tables(), asked())
    assert old in found
    assert young not in found


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        (("expected=(old,)", "expected=(old, young)"), "rules.not_proven"),
        (("expected=(old,)", "expected=()"), "rules.not_proven"),
        (('code="over_a_hundred"', 'code="paid_twice"'), "rules.file"),
        (('evidence=("born",)', 'evidence=("birth",)'), "rules.not_proven"),
        (("rule = Rule(", "another = Rule("), "rules.file"),
        (("import ibis", "import ibis as ibis, nothing_such"), "rules.file"),
        (("paid.person", "paid.personnel"), "rules.not_proven"),
    ],
)
def test_rule_that_is_not_what_it_says_is_refused_alone(tmp_path, changed, error):
    text = example()
    assert changed[0] in text
    wrong = text.replace(*changed)
    own = rules_of_folder(folder_with(tmp_path, a_wrong=wrong, b_good=text))
    assert [each.code for each in own] == ["over_a_hundred"]
    (refused,) = own.refused
    assert refused.error.code == error
    assert refused.error.place.file == "a_wrong.py"
    assert refused.error.chinese
    assert refused.error.english


def test_second_rule_of_one_code_is_refused(tmp_path):
    own = rules_of_folder(folder_with(tmp_path, a=example(), b=example()))
    assert len(own.rules) == 1
    assert [each.file.name for each in own.refused] == ["b.py"]


def test_file_that_begins_with_an_underscore_is_passed_over(tmp_path):
    own = rules_of_folder(folder_with(tmp_path, _helper="raise RuntimeError"))
    assert (own.rules, own.refused) == ((), ())


def test_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RuleFileError):
        rules_of_folder(tmp_path / "nowhere")
