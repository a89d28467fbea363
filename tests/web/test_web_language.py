"""The message catalogue: whatever is said in Chinese has its English sentence, with the same blanks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import huodang.web
from huodang.web.language import catalogue, known_language, translate

WEB = Path(huodang.web.__file__).parent
IN_TEMPLATE = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
BLANK = re.compile(r"{(\w+)}")
CHINESE = re.compile(r"[\u3400-\u9fff]")


def said_in_templates() -> Iterator[tuple[str, str]]:
    for template in sorted((WEB / "templates").glob("*.html")):
        for found in IN_TEMPLATE.finditer(template.read_text("utf-8")):
            yield template.name, found[1] or found[2]


def said_in_code() -> Iterator[tuple[str, str]]:
    for module in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in {"_", "mark", "say", "translate"}:
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    yield module.name, str(argument.value)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


SAID = sorted(set(said_in_templates()) | set(said_in_code()))


def test_there_is_something_to_translate() -> None:
    assert len(SAID) > 100


@pytest.mark.parametrize(("where", "sentence"), SAID)
def test_every_sentence_has_its_english_with_the_same_blanks(where: str, sentence: str) -> None:
    english = catalogue("en").get(sentence)
    assert english, f"{where}: messages/en.yaml lacks {sentence!r}"
    assert sorted(BLANK.findall(english)) == sorted(BLANK.findall(sentence))
    assert not CHINESE.search(english)


def test_catalogue_holds_no_sentence_that_nobody_says() -> None:
    assert set(catalogue("en")) == {sentence for _, sentence in SAID}


def test_no_template_says_chinese_outside_the_catalogue() -> None:
    allowed = {"中文"}  # the name of the language, in the language
    for template in sorted((WEB / "templates").glob("*.html")):
        bare = IN_TEMPLATE.sub("", re.sub(r"{#.*?#}", "", template.read_text("utf-8"), flags=re.DOTALL))
        left = set(re.findall(r"[\u3400-\u9fff]+", bare)) - allowed
        assert not left, f"{template.name}: {left}"


def test_chinese_is_the_source_and_an_unknown_language_falls_back_to_it() -> None:
    assert translate("共 {count} 次", "zh", count=3) == "共 3 次"
    assert known_language("fr") == "zh"
    assert known_language(None) == "zh"
    assert known_language("en") == "en"
