"""What portal and hub say to each other over the ferry (网闸): typed, bounded, and plain enough to inspect.

The portal asks, the hub answers; the same `request_id` ties the two together. Both sides parse strictly: an unknown
action or field refuses the whole message. Texts that the hub makes come in Chinese and English, as the hub doesn't
know the browser's language.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Self

import msgspec

from huodang.web.problems import BadFormError

REQUEST: Final = "portal_request"
ANSWER: Final = "portal_answer"


class Action(StrEnum):
    """What a citizen may ask for."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PREFILL = "prefill"
    APPLY = "apply"
    CASE = "case"
    ACT = "act"
    LOOKS = "looks"
    RECEIPT = "receipt"
    NOTICES = "notices"


Token = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
ShortText = Annotated[str, msgspec.Meta(max_length=200)]
LongText = Annotated[str, msgspec.Meta(max_length=4000)]
Fields = Annotated[dict[ShortText, LongText], msgspec.Meta(max_length=40)]


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What crosses the ferry, either way."""

    def to_payload(self) -> dict[str, Any]:
        """The message as an envelope's payload."""
        payload: dict[str, Any] = msgspec.to_builtins(self)
        return payload

    @classmethod
    def from_payload(cls, payload: object) -> Self:
        """Read a payload.

        Raises:
            BadFormError: it isn't shaped like this message.
        """
        try:
            return msgspec.convert(payload, cls)
        except msgspec.ValidationError:
            raise BadFormError from None


class CitizenRequest(_Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request of a citizen.

    Attributes:
        ticket: what the hub handed out at sign-in; empty before that.
        body: texts by name, as the action wants them.
    """

    request_id: Token
    action: Action
    identity_number: ShortText
    name: ShortText
    ticket: Annotated[str, msgspec.Meta(max_length=128)] = ""
    body: Fields = {}


class FieldError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with one field of a form, without its value."""

    field: ShortText
    chinese: LongText
    english: LongText


class Refusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a request wasn't done."""

    code: ShortText
    chinese: LongText
    english: LongText
    advice_chinese: LongText = ""
    advice_english: LongText = ""
    fields: Annotated[tuple[FieldError, ...], msgspec.Meta(max_length=40)] = ()


class CitizenAnswer(_Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to one request: a body, or a refusal."""

    request_id: Token
    refusal: Refusal | None = None
    body: dict[str, Any] = {}
