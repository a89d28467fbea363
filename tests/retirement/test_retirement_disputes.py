"""A value that somebody says is wrong shows on the case until the department has answered."""

import hashlib

from kit import CLERK, Kit, number

from huodang.exchange import Catalogue
from huodang.exchange.sharing import CorrectionClaim, build_sharing


def test_a_check_whose_value_is_in_doubt_shows_it_and_the_others_do_not(kit: Kit) -> None:
    case_id = kit.submit()
    household = next(check for check in kit.view(case_id).checks if check.resource == "police.household")
    assert household.disputed == ()
    element = "name"
    sharing = build_sharing(
        kit.database,
        agreements=kit.exchange.agreements,
        catalogue=Catalogue(kit.clock),
        ledger=kit.ledger,
        signer=kit.departments.signers["hub"],
        trusted=kit.trusted,
        directory=None,
        sealer=kit.sealer,
        looks=kit.looks,
        clock=kit.clock,
        forget_answers=kit.exchange.forget_answers,
    )
    claim = CorrectionClaim(
        resource="police.household",
        identity_number=number(),
        element=element,
        believed="王健国",
        origin="verdict",
        reference=household.grant_id or "",
        evidence=hashlib.sha256(b"a paper").hexdigest(),
    )
    sharing.corrections.raise_correction(CLERK, claim)
    disputed = {check.resource: check.disputed for check in kit.view(case_id).checks}
    assert disputed.pop("police.household") == (element,)
    assert set(disputed.values()) == {()}
