import pytest

from huodang.standards import CrosswalkInvalid, CrosswalkMissing, TextError, crosswalk, crosswalk_names, load_crosswalk


def _file(folder, text, encoding="utf-8", name="police.sex.csv"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_that_a_department_brings_is_read_in_its_encoding(tmp_path, encoding):
    found = load_crosswalk(_file(tmp_path, "local,standard,note\r\n男,1,\r\n女,2,女性\r\n", encoding))
    assert found.name == "police.sex"
    assert [found.to_standard(" 男 "), found.to_standard("女")] == ["1", "2"]
    assert found.to_local("2") == "女"


def test_columns_may_stand_in_any_order_and_more_may_follow(tmp_path):
    found = load_crosswalk(_file(tmp_path, 'note, standard ,by,local\n"two\nlines",1,x,M\n'))
    assert found.to_standard("M") == "1"


def test_several_local_codes_may_mean_one_and_the_first_is_given_back(tmp_path):
    found = load_crosswalk(_file(tmp_path, "local,standard,note\nM,1,\nm,1,\nF,2,\n"))
    assert found.to_standard("m") == "1"
    assert found.to_local("1") == "M"


def test_a_missing_code_names_crosswalk_and_code(tmp_path):
    found = load_crosswalk(_file(tmp_path, "local,standard,note\nM,1,\n"))
    with pytest.raises(CrosswalkMissing) as caught:
        found.to_standard("Q7")
    assert "police.sex" in caught.value.chinese
    assert "Q7" in caught.value.chinese
    assert "Q7" in caught.value.english
    assert caught.value.place.element == "sex"
    with pytest.raises(CrosswalkMissing):
        found.to_local("2")


def test_what_is_too_long_for_a_code_is_not_printed(tmp_path):
    found = load_crosswalk(_file(tmp_path, "local,standard,note\nM,1,\n"))
    for wrong in ("132325196503010019", "欧阳小明王"):
        with pytest.raises(CrosswalkMissing) as caught:
            found.to_standard(wrong)
        assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("local,note\nM,\n", 1, "standard"),
        ("", 1, "local"),
        ("local,standard,note\nM,1,\n,2,\n", 3, None),
        ("local,standard,note\nM\n", 2, None),
        ("local,standard,note\nM,1,\nM,2,\n", 3, None),
    ],
)
def test_a_broken_file_is_refused_whole_with_its_place(tmp_path, text, row, column):
    with pytest.raises(CrosswalkInvalid) as caught:
        load_crosswalk(_file(tmp_path, text))
    place = caught.value.place
    assert (place.file, place.row, place.column) == ("police.sex.csv", row, column)


def test_bytes_in_no_known_encoding_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"local,standard,note\n\xff,1,\n")
    with pytest.raises(TextError):
        load_crosswalk(path)


@pytest.mark.parametrize("name", ["police.shoe_size", "../codes", "police", "", "police.sex.csv"])
def test_an_unknown_name_is_told_with_those_that_exist(name):
    with pytest.raises(CrosswalkMissing) as caught:
        crosswalk(name)
    assert all(known in caught.value.advice_chinese for known in crosswalk_names())
