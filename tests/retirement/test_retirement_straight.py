"""The straight way: one application, the departments' answers, two reviews, the money and the volume."""

from kit import CLERK, OTHER_CLERK, REVIEWER, Kit, number

from huodang.retirement import Event
from huodang.standards import IdentityNumber, Money, Month


def test_an_ordinary_case_goes_from_the_form_to_the_first_payment(kit: Kit) -> None:
    case_id = kit.submit()
    view = kit.view(case_id)
    assert view.state.value == "window_review", [reason.code for reason in view.reasons]
    view = kit.reviewed(case_id)
    assert view.state.value == "completed"
