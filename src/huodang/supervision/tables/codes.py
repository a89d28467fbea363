"""The words of files for kinds of payment, sentences, states and schemes, as the codes that rules know.

What isn't known here stays as it was written: a rule says then that it couldn't judge it.
"""

from functools import cache
from typing import Final

from huodang.standards import code_table

Parts = tuple[tuple[str, str], ...]

PAYMENT_KIND: Final[tuple[dict[str, str], Parts]] = (
    {"0": "regular", "1": "back_pay", "正常": "regular", "regular": "regular", "back_pay": "back_pay"},
    (("补", "back_pay"), ("正常", "regular"), ("定期", "regular"), ("月", "regular")),
)
ENROLMENT_KIND: Final[tuple[dict[str, str], Parts]] = (
    {"benefit": "benefit", "contribution": "contribution"},
    (
        ("缴", "contribution"),
        ("征收", "contribution"),
        ("待遇", "benefit"),
        ("领", "benefit"),
        ("享受", "benefit"),
        ("发放", "benefit"),
        ("退休", "benefit"),
    ),
)
SENTENCE: Final[tuple[dict[str, str], Parts]] = (
    {"prison": "imprisonment", "imprisonment": "imprisonment", "": "imprisonment"},
    (
        # What says how a sentence is served goes before what says which it is: 有期徒刑二年缓刑三年 is served outside.
        ("缓刑", "probation"),
        ("社区矫正", "probation"),
        ("监外", "outside"),
        ("保外", "outside"),
        ("假释", "parole"),
        ("管制", "control"),
        # 死刑缓期执行 is served in prison, 有期徒刑缓期执行 is probation.
        ("死刑", "imprisonment"),
        ("死缓", "imprisonment"),
        ("缓期", "probation"),
        ("徒刑", "imprisonment"),
        ("实刑", "imprisonment"),
        ("拘役", "imprisonment"),
        ("收监", "imprisonment"),
        ("服刑", "imprisonment"),
        ("监禁", "imprisonment"),
        ("拘留", "detention"),
        ("逮捕", "detention"),
        ("羁押", "detention"),
        ("留置", "detention"),
    ),
)
POPULATION_STATUS: Final[tuple[dict[str, str], Parts]] = (
    {
        "registered": "normal",
        "moved": "normal",
        "cancelled_death": "dead",
        "cancelled_abroad": "emigrated",
        "cancelled_other": "cancelled",
        "normal": "normal",
        "0": "normal",
    },
    (
        ("死亡", "dead"),
        ("去世", "dead"),
        ("出国", "emigrated"),
        ("出境", "emigrated"),
        ("定居", "emigrated"),
        ("移民", "emigrated"),
        ("注销", "cancelled"),
        ("正常", "normal"),
        ("在册", "normal"),
        ("在世", "normal"),
        ("健在", "normal"),
        ("迁", "normal"),
    ),
)


@cache
def schemes() -> dict[str, str]:
    """Give the codes of insurance schemes by the names that files write: AAE140 and what people call it."""
    table = code_table("scheme")
    named = {table.meaning(code): code for code in table.codes}
    return named | {
        "企业职工养老保险": "110",
        "城镇职工基本养老保险": "110",
        "城镇企业职工基本养老保险": "110",
        "职工基本养老保险": "110",
        "企业职工养老": "110",
        "企业养老": "110",
        "企业养老保险": "110",
        "职工养老": "110",
        "职工养老保险": "110",
        "机关事业单位养老保险": "120",
        "机关事业养老保险": "120",
        "机关事业单位养老": "120",
        "机关养老": "120",
        "城乡居民养老保险": "170",
        "居民养老保险": "170",
        "居民养老": "170",
        "城乡居保": "170",
        "居保": "170",
    }
