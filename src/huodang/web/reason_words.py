"""Words for the reason codes that departments and the exchange give; a code that nobody foresaw is shown as it is."""

from typing import Final

from huodang.web.language import mark, translate

REASONS: Final[dict[str, str]] = {
    # what departments find
    "matches": mark("与登记一致"),
    "alive": mark("登记为在世"),
    "no_record": mark("没有记录"),
    "no_account": mark("没有账户"),
    "not_registered": mark("没有登记此人"),
    "not_enrolled": mark("没有参保"),
    "name_differs": mark("姓名与登记不符"),
    "renamed": mark("曾用名相符，现已更名"),
    "sex_differs": mark("性别与登记不符"),
    "birth_date_differs": mark("出生日期与登记不符"),
    "death_registered": mark("户籍登记为死亡"),
    "death_certified": mark("有死亡医学证明"),
    "imprisonment": mark("正在服刑"),
    "detained": mark("正在羁押"),
    "probation": mark("缓刑或监外执行"),
    "term_over": mark("刑期已满"),
    "enrolled_residents": mark("同时参加城乡居民养老保险"),
    "enrolment_ended": mark("另一参保已终止"),
    "benefit_in_payment": mark("正在领取另一份待遇"),
    "benefit_ended": mark("另一份待遇已停发"),
    "years_short": mark("年限不足"),
    "arrears": mark("有欠费"),
    "source_value_missing": mark("部门记录缺项"),
    "source_value_unmapped": mark("部门代码没有对照"),
    "source_value_broken": mark("部门记录格式有误"),
    "source_row_quarantined": mark("部门记录证件号码有误，已隔离"),
    "source_unreachable": mark("部门数据源无法访问"),
    "source_rejected": mark("部门系统没有接受"),
    "two_different_verdicts": mark("部门先后给出不同的结论"),
    "done": mark("已办"),
    # why no answer came
    "not_permitted": mark("没有访问策略允许"),
    "no_agreement": mark("没有有效的共享协议"),
    "subject_invalid": mark("证件号码无效"),
    "unreachable": mark("前置机无法连接"),
    "timeout": mark("前置机没有按时答复"),
    "too_large": mark("答复过大"),
    "garbage": mark("答复无法识别"),
    "unsigned": mark("答复没有签名"),
    "wrongly_signed": mark("答复签名无效"),
    "for_other_grant": mark("答复对应另一份授权"),
    "not_allowed": mark("答复超出授权"),
    "late": mark("答复过晚"),
    "refused": mark("部门前置机拒绝"),
}


def reason_words(code: str, language: str) -> str:
    """A reason code in words. `refused.expired` keeps the gateway's own code behind the words."""
    head, _, detail = code.partition(".")
    words = translate(REASONS.get(head, head), language)
    return f"{words} ({detail})" if detail else words
