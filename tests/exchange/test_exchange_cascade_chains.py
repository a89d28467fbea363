"""What a relaying hub could get wrong, or do wrong on purpose: nothing but the origin's own word is believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from exchange_province import WANG
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from huodang.exchange import GRANT, VERDICT, Grant, Outcome, Verdict
from huodang.exchange.cascade import CascadeError, ChainFault, Hop, Origin, check_chain
from huodang.exchange.cascade.chain import chain_digest
from huodang.exchange.cascade.paths import PathFault, Walked, go_on, plain_parameters, walked, widened, within
from huodang.exchange.cascade.values import outer_name
from huodang.trust import Signer, TrustedKeys, sign_envelope

NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
CITY, PROVINCE, TOWN, POLICE, STRANGER = (
    Signer.generate(name) for name in ("city", "province", "town", "police", "police")
)


def grant(**changes: Any) -> Grant:
    terms: dict[str, Any] = {
        "grant_id": "g-1",
        "resource": "province.town__police__household",
        "agreement_id": "XY-1",
        "agreement_version": 1,
        "provider": "province",
        "consumer": "city",
        "purpose": "retirement",
        "legal_basis": "",
        "case_id": "case-1",
        "subject": WANG,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(minutes=5),
        "nonce": "0" * 32,
        "claims": {"name": "王建国"},
        "elements": ("name", "birth_date"),
        "fields": ("name",),
    }
    return Grant(**{**terms, **changes})


@dataclass
class Walk:
    """A city asks a province, which asks a town, whose police answer; each step may be changed before it is signed."""

    change: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    police: Signer = POLICE

    def step(self, name: str, made: Any) -> Any:
        return self.change.get(name, lambda one: one)(made)

    def check(self, *, domains: dict[str, TrustedKeys] | None = None, drop: int = 0) -> Origin:
        first = self.step("first", grant())
        asked = sign_envelope(GRANT, first.to_payload(), CITY)
        second = self.step(
            "second",
            replace(
                first,
                grant_id="g-2",
                resource="town.police__household",
                provider="town",
                consumer="province",
                parameters=Walked(("city",), (asked.digest,)).parameters(),
            ),
        )
        to_town = sign_envelope(GRANT, second.to_payload(), PROVINCE)
        third = self.step(
            "third",
            replace(
                second,
                grant_id="g-3",
                resource="police.household",
                provider="police",
                consumer="town",
                parameters=Walked(("city", "province"), (asked.digest, to_town.digest)).parameters(),
            ),
        )
        to_police = sign_envelope(GRANT, third.to_payload(), TOWN)
        origin = self.step("origin", self.verdict(third, to_police.digest, "ab" * 32))
        answers = [sign_envelope(VERDICT, origin.to_payload(), self.police)]
        last = Hop(msgspec.Raw(to_police.to_json().encode()), msgspec.Raw(answers[0].to_json().encode()))
        middle = self.step("middle", self.verdict(second, to_town.digest, chain_digest([last])))
        signed = sign_envelope(VERDICT, middle.to_payload(), TOWN)
        chain = [Hop(msgspec.Raw(to_town.to_json().encode()), msgspec.Raw(signed.to_json().encode())), last]
        chain = chain[: len(chain) - drop]
        said = self.step("said", self.verdict(first, asked.digest, chain_digest(chain)))
        attested = domains or {
            "province": TrustedKeys((TOWN.public,)),
            "town": TrustedKeys((POLICE.public,)),
        }
        return check_chain(
            asked, said, chain, neighbours=TrustedKeys((PROVINCE.public,)), domains={"province": attested}, at=NOW
        )

    def verdict(self, asked: Grant, digest: str, evidence: str) -> Verdict:
        return Verdict(
            grant_id=asked.grant_id,
            grant_digest=digest,
            resource=asked.resource,
            provider=asked.provider,
            outcome=Outcome.CLEAR,
            reason="matches",
            as_of=NOW,
            evidence_hash=evidence,
            answered_at=NOW,
            fields={"name": "王建国"},
        )


def test_an_answer_over_three_hubs_names_its_origin() -> None:
    origin = Walk().check()
    assert (origin.hub, origin.department, origin.path) == ("town", "police", ("province", "town"))


REVERSED = {"outcome": Outcome.HIT}
LIES: list[tuple[str, str, dict[str, Any], str]] = [
    ("the relay says otherwise than the origin", "said", REVERSED, "origin_differs"),
    ("a hub further on says otherwise", "middle", REVERSED, "origin_differs"),
    ("the relay hands on more than the origin gave", "said", {"fields": {"name": "李"}}, "origin_differs"),
    ("the relay makes data fresher than they are", "said", {"as_of": NOW + timedelta(days=1)}, "origin_differs"),
    ("the relay shows another chain's digest", "said", {"evidence_hash": "cd" * 32}, "origin_differs"),
    ("the relay asks about another person", "second", {"subject": "130102196503010028"}, "widened_subject"),
    ("the relay asks for another purpose", "second", {"purpose": "supervision"}, "widened_purpose"),
    ("the relay looks at more elements", "second", {"elements": ("name", "birth_date", "sex")}, "widened_elements"),
    ("the relay takes more fields", "second", {"fields": ("name", "sex")}, "widened_fields"),
    ("the relay asks for longer", "second", {"expires_at": NOW + timedelta(minutes=6)}, "widened_expires_at"),
    ("the relay changes what is claimed", "second", {"claims": {"name": "李"}}, "widened_claims"),
    ("the relay hides where the question came from", "second", {"parameters": {}}, "widened_relay_path"),
    ("the relay hides it further on", "third", {"parameters": {}}, "widened_relay_path"),
    ("the origin answered another grant", "origin", {"grant_digest": "ef" * 32}, "origin_for_other_grant"),
    ("the origin answered for another resource", "origin", {"resource": "police.alive"}, "origin_for_other_grant"),
]


@pytest.mark.parametrize(("where", "changes", "code"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_chain_that_says_otherwise_anywhere_is_refused(where: str, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ChainFault) as caught:
        Walk({where: lambda made: replace(made, **changes)}).check()
    assert caught.value.code == code


def test_an_origin_s_verdict_by_a_key_that_its_hub_does_not_attest_is_refused() -> None:
    with pytest.raises(ChainFault, match="origin_unknown_key"):
        Walk(police=STRANGER).check()


def test_a_relay_can_not_answer_by_itself_or_cut_the_chain_short() -> None:
    for drop in (1, 2):
        with pytest.raises(ChainFault, match="origin_missing"):
            Walk().check(drop=drop)


def test_a_hub_whose_keys_nobody_attests_is_not_believed() -> None:
    with pytest.raises(ChainFault, match="origin_unknown_key"):
        Walk().check(domains={"province": TrustedKeys(), "town": TrustedKeys((POLICE.public,))})


HUBS = ("a", "b", "c", "d", "e", "f", "g", "h")


@pytest.mark.parametrize(
    ("hubs", "asker", "own", "provider", "code"),
    [
        (("province",), "city", "province", "police", "relay_loop"),
        (("town",), "city", "province", "town", "relay_loop"),
        ((), "city", "province", "city", "relay_loop"),
        (("city",), "city", "province", "police", "relay_loop"),
        (HUBS[:6], "g", "province", "police", "relay_too_long"),
    ],
)
def test_a_question_that_was_here_or_would_go_back_is_refused(
    hubs: tuple[str, ...], asker: str, own: str, provider: str, code: str
) -> None:
    asked = grant(parameters=Walked(hubs, ("ab" * 32,) * len(hubs)).parameters())
    with pytest.raises(PathFault, match=code):
        go_on(asked, "cd" * 32, asker, own, provider)


@pytest.mark.parametrize(
    "parameters", [{"relay_path": "a"}, {"relay_grants": "ab" * 32}, {"relay_path": "a", "relay_grants": "zz" * 32}]
)
def test_a_way_that_does_not_fit_its_grants_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(PathFault, match="relay_path_broken"):
        walked(grant(parameters=parameters))


names = st.lists(st.sampled_from(["name", "sex", "birth_date", "death_date"]), unique=True).map(tuple)


@given(names, names, names)
def test_what_is_asked_on_is_never_wider_than_asked_and_agreed(
    asked: tuple[str, ...], agreed: tuple[str, ...], further: tuple[str, ...]
) -> None:
    once = within(asked, agreed)
    twice = within(once, further)
    assert set(twice) <= set(once) <= set(asked) & set(agreed)
    assert set(asked) & set(agreed) & set(further) == set(twice)


@given(st.integers(0, 5), st.dictionaries(st.sampled_from(["on_date", "idempotency_key"]), st.text(max_size=9)))
def test_every_step_adds_itself_to_the_way_and_changes_nothing_else(steps: int, parameters: dict[str, str]) -> None:
    asked = grant(parameters=parameters)
    for place in range(steps):
        way = go_on(asked, f"{place:064x}", HUBS[place], HUBS[place + 1], HUBS[place + 2])
        made = replace(asked, parameters={**plain_parameters(asked), **way.parameters()})
        assert widened(asked, f"{place:064x}", HUBS[place], made) == ""
        asked = made
    assert walked(asked).hubs == HUBS[:steps]
    assert plain_parameters(asked) == parameters


def test_a_resource_carries_the_way_in_its_name_until_it_grows_too_long() -> None:
    assert outer_name("province", outer_name("city", "police.household")) == "province.city__police__household"
    with pytest.raises(CascadeError):
        outer_name("province", f"city.{'x' * 60}")
