import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import NameError_, PersonName, element, same_name

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
RARE = st.characters(min_codepoint=0x20000, max_codepoint=0x2FA1D)
NAMES = st.text(st.one_of(HAN, RARE), min_size=1, max_size=20)


@pytest.mark.parametrize("dot", [*"·•・･‧∙⋅●﹒．.。｡", "‧ ", " · ", "··"])
def test_every_way_of_writing_the_middle_dot_gives_one_name(dot):
    assert PersonName.parse(f"阿卜杜拉{dot}买买提").key == "阿卜杜拉·买买提"
    assert same_name(f"阿卜杜拉{dot}买买提", "阿卜杜拉·买买提")


def test_a_name_without_its_dot_is_another_name():
    assert not same_name("阿卜杜拉买买提", "阿卜杜拉·买买提")


def test_a_full_stop_between_latin_initials_stays_a_full_stop():
    assert PersonName.parse("J. R. Smith").key == "J. R. SMITH"
    assert not same_name("J. Smith", "J·Smith")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("张  三", "张三"),
        ("张\u3000三", "张三"),
        ("ＬＩ Ｍｉｎｇ", "li ming"),
        ("\uf9e1", "李"),
        ("⽅方", "方方"),
        ("葛\U000e0100", "葛"),
        ("e\u0301lodie", "Élodie"),
    ],
)
def test_width_spaces_case_and_compatibility_forms_do_not_part_a_name(first, second):
    assert same_name(first, second)


@pytest.mark.parametrize(("first", "second"), [("張三", "张三"), ("李", "理"), ("Li Ming", "LiMing"), ("〇", "零")])
def test_names_that_only_look_or_sound_alike_stay_apart(first, second):
    assert not same_name(first, second)


@pytest.mark.parametrize("rare", ["𠮷", "䶮", "㛃", "\U00030000", "\U0002ebf0", "\U000323b0", "〇", "龴"])
def test_rare_characters_of_every_plane_are_taken(rare):
    name = PersonName.parse(f"王{rare}")
    assert name.text == f"王{rare}"
    assert name.key == f"王{rare}"
    assert PersonName.parse(rare).text == rare


def test_text_is_kept_as_written_in_its_composed_form():
    name = PersonName.parse(" 阿依古丽 • 买买提\n")
    assert name.text == str(name) == "阿依古丽 • 买买提"
    assert PersonName.parse("e\u0301").text == "é"


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "name.empty", None),
        (" \u3000\n", "name.empty", None),
        ("···", "name.characters", None),
        ("\ua78f", "name.characters", None),
        ("张\0三", "name.characters", "2"),
        ("张\n三", "name.characters", "2"),
        ("张三\u200b", "name.characters", "3"),
        ("张三1", "name.characters", "3"),
        ("=张三", "name.characters", "1"),
        ("张三🙂", "name.characters", "3"),
        ("张\ud800", "name.characters", "2"),
        ("张\ue81e", "name.private_character", "2"),
        ("张\U000f0001", "name.private_character", "2"),
        ("张?", "name.lost_character", "2"),
        ("张＊", "name.lost_character", "2"),
        ("张*三", "name.lost_character", "2"),
        ("\ufffd三", "name.lost_character", "1"),
        ("张□", "name.lost_character", "2"),
        ("张" * 51, "name.length", None),
    ],
)
def test_what_is_not_a_name_is_refused_with_position_and_advice(text, code, position):
    with pytest.raises(NameError_) as caught:
        PersonName.parse(text)
    error = caught.value
    assert error.code == code
    assert error.advice_chinese
    assert error.advice_english
    if position is not None:
        assert f"第 {position} 个字" in error.chinese
        assert f"character {position} " in error.english
    assert "张" not in str(error)


def test_the_longest_name_is_as_long_as_the_data_element_says():
    longest = element("name").length
    assert PersonName.parse("张" * longest).text == "张" * longest


@given(NAMES)
def test_a_key_is_its_own_key_and_a_name_is_the_same_as_itself(text):
    name = PersonName.parse(text)
    assert same_name(name, text)
    assert PersonName.parse(name.key).key == name.key
    assert unicodedata.is_normalized("NFC", name.text)


@given(NAMES, NAMES)
def test_sameness_does_not_depend_on_the_order(first, second):
    assert same_name(first, second) == same_name(second, first)


def test_a_name_does_not_show_itself_in_logs():
    assert "张" not in repr(PersonName.parse("张三"))
