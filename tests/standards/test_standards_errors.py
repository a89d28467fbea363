import pickle

import pytest

from huodang.standards import NOWHERE, BadValue, HuodangError, IdentityFault, Place, identity_error


def test_sentence_tells_what_where_and_what_to_do_in_both_languages():
    error = BadValue(
        "日期不存在",
        "there is no such day",
        advice_chinese="请核对。",
        advice_english="Check it.",
        place=Place(file="a.csv", row=3, column="CSRQ", element="birth_date"),
    )
    assert error.sentence() == "日期不存在（文件 a.csv，第 3 行，列 CSRQ，数据元 birth_date）。请核对。"
    assert error.sentence("en") == (
        "there is no such day (file a.csv, row 3, column CSRQ, element birth_date). Check it."
    )
    assert str(error) == f"[value.bad] {error.sentence('zh')} / {error.sentence('en')}"


def test_sentence_without_place_and_advice_ends_cleanly():
    error = HuodangError("不行", "no")
    assert error.sentence("zh") == "不行。"
    assert error.sentence("en") == "no."


def test_place_around_an_error_fills_only_what_is_not_known_yet():
    error = BadValue("错", "wrong", place=Place(column="XM"))
    with pytest.raises(BadValue) as caught:
        raise error.at(Place(file="b.csv", row=0, column="other"))
    assert caught.value.place == Place(file="b.csv", row=0, column="XM")


def test_nowhere_says_nothing():
    assert NOWHERE.sentence("zh") == NOWHERE.sentence("en") == ""


@pytest.mark.parametrize("fault", [fault for fault in IdentityFault if fault])
def test_every_error_crosses_a_process_boundary_whole(fault):
    error = identity_error(fault).at(Place(row=7))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  (bytes made one line above)
    assert (type(copy), str(copy), copy.place) == (type(error), str(error), error.place)


def test_plain_errors_cross_a_process_boundary_with_their_advice():
    error = BadValue("错", "wrong", advice_chinese="改。", advice_english="Change it.", place=Place(row=2))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  (bytes made one line above)
    assert str(copy) == str(error)
