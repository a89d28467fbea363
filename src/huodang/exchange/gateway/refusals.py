"""Why a gateway refuses a grant: each code with its sentence. A refusal reads nothing and holds no personal data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from huodang.exchange.values import RATE_LIMITED, to_the_second
from huodang.store import utc_text

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "malformed": ("授权不符合格式", "the grant isn't shaped as it must be"),
    "forged": ("授权的签名无效，或签名者不受信任", "the grant's signature is wrong, or its signer isn't trusted"),
    "wrong_provider": ("授权不是给本部门的", "the grant is for another department"),
    "resource_not_served": ("本前置机不提供该资源", "this gateway doesn't offer the resource"),
    "no_agreement": ("没有双方签署的有效协议", "no agreement signed by both sides covers this"),
    "agreement_revoked": ("协议已被撤销", "the agreement was revoked"),
    "agreement_not_in_force": ("协议不在有效期内", "the agreement isn't in force on this day"),
    "agreement_superseded": ("协议已有新版本", "the agreement has a newer version"),
    "not_grant_signer": ("签名者不是协议约定的授权签名者", "the signer isn't the one the agreement names"),
    "not_in_agreement": (
        "授权与协议的提供方、使用方、资源或种类不符",
        "provider, consumer, resource or kind differ from the agreement",
    ),
    "purpose_not_in_agreement": ("用途不在协议之内", "the purpose isn't in the agreement"),
    "element_not_in_agreement": ("数据元不在协议或授权之内", "an element isn't in agreement and grant"),
    "field_not_in_agreement": ("要求返回的字段不在协议之内", "a field asked for raw isn't in the agreement"),
    "elements_insufficient": (
        "授权的数据元不足以作出该核验",
        "the grant names fewer elements than this check looks at",
    ),
    "expired": ("授权已过期", "the grant has expired"),
    "not_yet_valid": ("授权尚未生效，请核对双方时钟", "the grant isn't valid yet: compare the clocks"),
    "lives_too_long": ("授权的有效时间过长", "the grant was made to live too long"),
    "replayed": ("该授权已使用过", "the grant was presented before"),
    RATE_LIMITED: (
        "本分钟的调用已达协议限额，请在所示时间后再试",
        "the agreement's limit for this minute is reached: try again at the time told",
    ),
    "batch_over_limit": ("一批人数超过协议的每分钟限额", "the batch is larger than the agreement's limit for a minute"),
    "page_differs": ("分页与签名的批次不符", "a page differs from what the signed batch says"),
    "batch_too_large": ("批次人数超过本前置机的上限", "the batch has more subjects than this gateway takes"),
    "subject_invalid": ("证件号码无效", "the identity number isn't valid"),
    "subject_mismatch": ("证件号码与声明的不一致", "the identity number differs from the one claimed"),
    "claim_missing": ("缺少该核验需要的声明", "a claim that this check needs is missing"),
    "parameter_missing": ("缺少该资源需要的参数", "a parameter that this resource needs is missing"),
    "parameter_invalid": ("参数无法理解", "a parameter can't be understood"),
}


@dataclass(frozen=True)
class Refused:
    """A refusal before it is signed.

    Attributes:
        detail: name of the element, claim or parameter concerned, or the instant from which on to try again; never a
            value of anybody's.
    """

    code: str
    detail: str = ""

    def sentences(self) -> tuple[str, str]:
        """Give the sentence in Chinese and English."""
        chinese, english = SENTENCES[self.code]
        return (f"{chinese}：{self.detail}", f"{english}: {self.detail}") if self.detail else (chinese, english)


def rate_limited(now: datetime, wait: int) -> Refused:
    """Refuse what goes beyond an agreement's limit, with the instant from which on it may be tried again."""
    return Refused(RATE_LIMITED, utc_text(to_the_second(now) + timedelta(seconds=wait + 1)))
