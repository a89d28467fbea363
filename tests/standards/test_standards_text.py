import pytest
from hypothesis import given
from hypothesis import strategies as st

from huodang.standards import AmbiguousTextError, TextError, decode_text, to_half_width

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30)
RARE = st.text(st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF), min_size=1, max_size=30)


@given(st.one_of(HAN, RARE))
def test_utf8_is_read_with_and_without_its_mark(text):
    assert decode_text(text.encode("utf-8")) == text
    assert decode_text(text.encode("utf-8-sig")) == text


@given(st.one_of(HAN, RARE))
def test_declared_gb18030_is_read_back_four_byte_characters_included(text):
    assert decode_text(text.encode("gb18030"), encoding="gb18030") == text


@pytest.mark.parametrize("text", ["姓名,证件号码\r\n王𠮷,132325196503010019\r\n", "罪犯姓名", "䶮", "买买提·艾力,男"])
def test_gb18030_files_are_recognised(text):
    assert decode_text(text.encode("gb18030")) == text


def test_plain_ascii_is_read_as_it_is():
    assert decode_text(b"a,b\r\n1,2\r\n") == "a,b\r\n1,2\r\n"
    assert decode_text(b"") == ""


@pytest.mark.parametrize("data", ["路".encode("gb18030"), "·".encode(), b"name,\xc2\xb7\n"])
def test_bytes_that_are_text_in_both_encodings_are_not_guessed(data):
    with pytest.raises(AmbiguousTextError) as caught:
        decode_text(data)
    assert caught.value.code == "text.ambiguous"
    assert decode_text(data, "utf-8") != decode_text(data, "gb18030")


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"abc\xff", 3),
        ("张三".encode("gb18030") + b"\x81", 4),
        ("张三".encode("utf-16"), 0),
        (b"\xef\xbb\xbfabc\xff", 6),
    ],
)
def test_wrong_bytes_are_an_error_that_names_the_offset_and_no_character(data, offset):
    with pytest.raises(TextError) as caught:
        decode_text(data)
    assert caught.value.code == "text.encoding"
    assert f"偏移 {offset} " in caught.value.chinese
    assert f"offset {offset} " in caught.value.english
    assert "张" not in str(caught.value)


def test_a_declared_encoding_is_held_to():
    with pytest.raises(TextError):
        decode_text("张三丰".encode("gb18030"), encoding="utf-8")


@pytest.mark.parametrize(("data", "character"), [(b"\xfe\x59", "龴"), (b"\xfe\x51", "𠂇"), (b"\xfe\xa0", "龻")])
def test_characters_encoded_since_the_first_edition_get_their_own_code_points(data, character):
    assert decode_text(data, encoding="gb18030") == character


def test_half_width_leaves_chinese_punctuation_that_has_none():
    assert to_half_width("ＡＢ１２　，。") == "AB12 ,。"
