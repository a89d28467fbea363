"""Masking, as sentences and as properties: a mask may show too little, never too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import elements
from huodang.trust import HIDDEN_TEXT, MaskLevel, mask


@pytest.mark.parametrize(
    ("element", "text", "shown"),
    [
        ("identity_number", "130102196503011234", "130102********1234"),
        ("identity_number", "13010219650301123X", "130102********123X"),
        ("identity_number", "130102650301123", "130102******123"),
        ("identity_number", "1301", "****"),
        ("name", "张三", "张*"),
        ("name", "张小三", "张*三"),
        ("name", "欧阳小明", "欧**明"),
        ("name", "张", "*"),
        ("name", "𠮷", "*"),
        ("name", "𠮷田", "𠮷*"),
        ("name", "阿卜杜拉·买买提", "阿***·***"),
        ("name", "买买提•阿不都•热合曼", "买**•***•***"),
        ("name", "阿·买", "*·*"),
        ("name", "阿·", "**"),
        ("name", "John Smith", "J*** *****"),
        ("bank_account", "6222021234567890123", "****0123"),
        ("bank_account", "1234567", "****"),
        ("phone", "13812345678", "138****5678"),
        ("phone", "0311-87654321", "****4321"),
        ("phone", "12345", "****"),
        ("household_address", "河北省石家庄市长安区中山东路1号", "河北省石家庄市长安区****"),
        ("household_address", "河北省沧州市运河区解放路", "河北省沧州市运河区****"),
        ("household_address", "河北省唐山市路南区学院路3号", "河北省唐山市路南区****"),
        ("household_address", "北京市朝阳区建国路", "北京市朝阳区****"),
        (
            "household_address",
            "新疆维吾尔自治区伊犁哈萨克自治州伊宁市胜利街",
            "新疆维吾尔自治区伊犁哈萨克自治州伊宁市****",
        ),
        ("household_address", "河南省济源市北海小区3号", "河南省济源市****"),
        ("household_address", "中山路北国超市旁", "****"),
        ("household_address", "某村三组", "****"),
        ("birth_date", "1965-03-01", "1965-**-**"),
        ("birth_date", "19650301", "1965-**-**"),
        ("birth_date", "三月一日", HIDDEN_TEXT),
        ("benefit_amount", "345678", "345678"),
        ("sex", "1", "1"),
        ("remark", "anything", HIDDEN_TEXT),
        ("no_such_element", "anything", HIDDEN_TEXT),
        ("name", "", ""),
    ],
)
def test_partly_masked(element: str, text: str, shown: str) -> None:
    assert mask(element, text, MaskLevel.PARTIAL) == shown


@pytest.mark.parametrize(
    ("element", "text"),
    [("identity_number", "130102196503011234"), ("name", "张"), ("benefit_amount", "345678"), ("sex", "1")],
)
def test_hidden_shows_nothing_not_even_the_length(element: str, text: str) -> None:
    assert mask(element, text, MaskLevel.HIDDEN) == HIDDEN_TEXT


def test_only_public_elements_stay_visible_when_hidden() -> None:
    visible = {name for name in elements() if mask(name, "value", MaskLevel.HIDDEN) == "value"}
    assert visible == {name for name, one in elements().items() if one.level == 1}


def test_full_view_shows_the_value_but_never_that_of_an_unknown_element() -> None:
    assert mask("name", "张三", MaskLevel.FULL_VIEW) == "张三"
    assert mask("no_such_element", "张三", MaskLevel.FULL_VIEW) == HIDDEN_TEXT


def test_every_masking_rule_of_the_table_of_elements_is_known() -> None:
    """An unknown rule would hide, which is safe but not what the table means."""
    hidden = {one.mask for name, one in elements().items() if mask(name, "19650301", MaskLevel.PARTIAL) == HIDDEN_TEXT}
    assert hidden <= {"hidden"}


@given(name=st.text(alphabet="张王李赵陈刘杨黄周吴·", min_size=1, max_size=8))
def test_a_masked_name_shows_at_most_first_and_last_character(name: str) -> None:
    shown = mask("name", name, MaskLevel.PARTIAL)
    letters = [letter for letter in name if letter != "·"]
    visible = [letter for letter in shown if letter not in "*·"]
    assert len(shown) == len(name)
    assert len(visible) <= min(2, max(len(letters) - 1, 0))


@given(middle=st.from_regex(r"[0-9]{8}", fullmatch=True))
def test_a_masked_identity_number_never_holds_the_birth_date(middle: str) -> None:
    shown = mask("identity_number", f"990000{middle}7777", MaskLevel.PARTIAL)
    assert shown == "990000********7777"


@given(text=st.text(min_size=1, max_size=30).filter(lambda text: len(text) not in {15, 18}))
def test_what_is_not_as_long_as_an_identity_number_is_hidden_whole(text: str) -> None:
    assert set(mask("identity_number", text, MaskLevel.PARTIAL)) == {"*"}


@given(number=st.from_regex(r"[0-9]{5,30}", fullmatch=True))
def test_a_masked_account_ends_in_at_most_its_last_four(number: str) -> None:
    shown = mask("bank_account", number, MaskLevel.PARTIAL)
    assert shown == ("****" + number[-4:] if len(number) >= 8 else "****")


@given(street=st.from_regex(r"[东西南北中][山海河]路[0-9]{1,4}号", fullmatch=True))
def test_a_masked_address_never_holds_the_street(street: str) -> None:
    shown = mask("household_address", f"河北省石家庄市长安区{street}", MaskLevel.PARTIAL)
    assert shown == "河北省石家庄市长安区****"
    assert mask("household_address", street, MaskLevel.PARTIAL) == "****"


@given(text=st.text(min_size=1, max_size=40), element=st.sampled_from(sorted(elements())))
def test_a_mask_takes_any_text(text: str, element: str) -> None:
    for level in MaskLevel:
        assert isinstance(mask(element, text, level), str)
