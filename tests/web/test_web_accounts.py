"""Accounts: two people make one, five wrong tries shut a name, sessions end."""

from datetime import timedelta

import pytest

from huodang.standards import BadValue
from huodang.store import Database, FixedClock
from huodang.web.accounts import (
    Accounts,
    NewAccount,
    NoSuchAccountError,
    NotYoursError,
    OwnAccountError,
    SignInRefusedError,
)
from huodang.web.citizens import CitizenDoor, CitizenRefusedError, TicketEndedError
from huodang.web.lockout import LockedOutError
from huodang.web.passwords import WeakPasswordError, hash_secret, normal_access_code, secret_matches
from huodang.web.sessions import SessionKind
from huodang.web.settings import SessionRules

PASSWORD = "Blue-Kettle-27"
NEW_PASSWORD = "Green-Kettle-28"


@pytest.fixture
def accounts(any_database: Database, clock: FixedClock) -> Accounts:
    made = Accounts(any_database, clock, SessionRules())
    propose(made, "window1", "window_clerk")
    made.let_in("window1", by="security1")
    return made


def propose(accounts: Accounts, user_id: str, role: str, **changed: str) -> None:
    fields = {
        "user_id": user_id,
        "password": PASSWORD,
        "name": "窗口甲",
        "role": role,
        "department": "social_insurance",
        "region": "130000",
    }
    accounts.propose(NewAccount(**{**fields, **changed}), by="system1")


def test_proposed_account_signs_in_only_after_somebody_else_let_it_in(accounts: Accounts) -> None:
    propose(accounts, "window2", "window_clerk")
    with pytest.raises(SignInRefusedError):
        accounts.sign_in("window2", PASSWORD, SessionKind.PAGE)
    with pytest.raises(NotYoursError):
        accounts.let_in("window2", by="system1")
    accounts.let_in("window2", by="security1")
    token, user = accounts.sign_in("window2", PASSWORD, SessionKind.PAGE)
    assert user.user_id == "window2"
    assert accounts.user_of(token, SessionKind.PAGE) == user


def test_token_of_a_page_is_none_for_the_api(accounts: Accounts) -> None:
    token, _ = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    assert accounts.user_of(token, SessionKind.API) is None


def test_five_wrong_tries_shut_a_name_for_thirty_minutes_even_for_the_right_password(
    accounts: Accounts, clock: FixedClock
) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            accounts.sign_in("window1", "wrong", SessionKind.PAGE)
    with pytest.raises(LockedOutError):
        accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    clock.advance(timedelta(minutes=29, seconds=59))
    with pytest.raises(LockedOutError):
        accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    clock.advance(timedelta(seconds=1))
    assert accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)[1].user_id == "window1"


def test_four_wrong_tries_and_a_right_one_start_the_count_anew(accounts: Accounts) -> None:
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(SignInRefusedError):
                accounts.sign_in("window1", "wrong", SessionKind.PAGE)
        accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)


def test_name_that_is_no_account_is_shut_in_the_same_way(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            accounts.sign_in("nobody", "wrong", SessionKind.PAGE)
    with pytest.raises(LockedOutError):
        accounts.sign_in("nobody", "wrong", SessionKind.PAGE)


def test_security_administrator_unlocks_at_once(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            accounts.sign_in("window1", "wrong", SessionKind.PAGE)
    assert [user.locked for user in accounts.all_users()] == [True]
    accounts.unlock("window1", by="security1")
    accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)


def test_idle_session_ends_after_thirty_minutes(accounts: Accounts, clock: FixedClock) -> None:
    token, _ = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    for _ in range(3):
        clock.advance(timedelta(minutes=29))
        assert accounts.user_of(token, SessionKind.PAGE) is not None
    clock.advance(timedelta(minutes=30))
    assert accounts.user_of(token, SessionKind.PAGE) is None


def test_busy_session_ends_after_eight_hours_all_the_same(accounts: Accounts, clock: FixedClock) -> None:
    token, _ = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    for _ in range(23):
        clock.advance(timedelta(minutes=20))
        assert accounts.user_of(token, SessionKind.PAGE) is not None
    clock.advance(timedelta(minutes=20))
    assert accounts.user_of(token, SessionKind.PAGE) is None


def test_signed_out_token_is_dead(accounts: Accounts) -> None:
    token, _ = accounts.sign_in("window1", PASSWORD, SessionKind.API)
    accounts.sign_out(token)
    assert accounts.user_of(token, SessionKind.API) is None


def test_new_password_ends_every_session_and_replaces_the_old(accounts: Accounts) -> None:
    token, user = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    with pytest.raises(SignInRefusedError):
        accounts.change_password(user, "wrong", NEW_PASSWORD)
    accounts.change_password(user, PASSWORD, NEW_PASSWORD)
    assert accounts.user_of(token, SessionKind.PAGE) is None
    with pytest.raises(SignInRefusedError):
        accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    accounts.sign_in("window1", NEW_PASSWORD, SessionKind.PAGE)


def test_nobody_closes_their_own_account(accounts: Accounts) -> None:
    with pytest.raises(OwnAccountError):
        accounts.close("window1", by="window1")
    accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)


def test_closed_account_loses_its_sessions_and_its_name_stays_taken(accounts: Accounts) -> None:
    token, _ = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    accounts.close("window1", by="system1")
    assert accounts.user_of(token, SessionKind.PAGE) is None
    with pytest.raises(SignInRefusedError):
        accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    with pytest.raises(BadValue):
        propose(accounts, "window1", "window_clerk")
    with pytest.raises(NoSuchAccountError):
        accounts.close("window1", by="system1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "Window 1"),
        ("name", "带\u0007铃"),
        ("role", "god"),
        ("department", "../etc"),
        ("region", "13"),
        ("employer", "911300"),
    ],
)
def test_bad_field_refuses_the_account_and_names_the_field(accounts: Accounts, field: str, value: str) -> None:
    with pytest.raises(BadValue) as refused:
        propose(accounts, **{"user_id": "window9", "role": "window_clerk", field: value})
    assert refused.value.place.element == field
    assert len(accounts.all_users()) == 1


@pytest.mark.parametrize("password", ["Short-1", "alllowercase1", "has-window9-In-1", ""])
def test_simple_password_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(WeakPasswordError):
        propose(accounts, "window9", "window_clerk", password=password)


def test_history_tells_who_did_what_to_which_account(accounts: Accounts) -> None:
    accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    assert [(event.event, event.user_id, event.by_user) for event in accounts.history()] == [
        ("signed_in", "window1", "window1"),
        ("let_in", "window1", "security1"),
        ("proposed", "window1", "system1"),
    ]


def test_password_is_old_after_ninety_days(accounts: Accounts, clock: FixedClock) -> None:
    _, user = accounts.sign_in("window1", PASSWORD, SessionKind.PAGE)
    assert not user.password_is_old(clock.now() + timedelta(days=90))
    assert user.password_is_old(clock.now() + timedelta(days=90, seconds=1))


def test_hash_tells_right_from_wrong_and_hides_the_secret() -> None:
    hashed = hash_secret(PASSWORD)
    assert secret_matches(PASSWORD, hashed)
    assert not secret_matches(PASSWORD + " ", hashed)
    assert not secret_matches(PASSWORD, None)
    assert PASSWORD not in hashed
    assert hash_secret(PASSWORD) != hashed


@pytest.fixture
def door(database: Database, clock: FixedClock) -> CitizenDoor:
    return CitizenDoor(database, clock, SessionRules())


def test_access_code_opens_the_door_however_it_was_typed(door: CitizenDoor) -> None:
    code = door.issue_code("index-of-one", by="window1")
    assert normal_access_code(f" {code.lower().replace('-', ' ')} ") == code
    ticket = door.sign_in("index-of-one", code.lower().replace("-", ""))
    door.check_ticket(ticket, "index-of-one")


def test_ticket_of_one_person_is_none_for_another(door: CitizenDoor) -> None:
    ticket = door.sign_in("index-of-one", door.issue_code("index-of-one", by="window1"))
    with pytest.raises(TicketEndedError):
        door.check_ticket(ticket, "index-of-two")


def test_new_code_replaces_the_old_and_a_code_lives_a_year(door: CitizenDoor, clock: FixedClock) -> None:
    old = door.issue_code("index-of-one", by="window1")
    new = door.issue_code("index-of-one", by="window1")
    with pytest.raises(CitizenRefusedError):
        door.sign_in("index-of-one", old)
    clock.advance(timedelta(days=365))
    with pytest.raises(CitizenRefusedError):
        door.sign_in("index-of-one", new)


def test_five_wrong_codes_shut_the_door(door: CitizenDoor) -> None:
    code = door.issue_code("index-of-one", by="window1")
    for _ in range(5):
        with pytest.raises(CitizenRefusedError):
            door.sign_in("index-of-one", "AAAA-BBBB-CCCC")
    with pytest.raises(LockedOutError):
        door.sign_in("index-of-one", code)


def test_visit_ends_when_idle_and_when_signed_out(door: CitizenDoor, clock: FixedClock) -> None:
    code = door.issue_code("index-of-one", by="window1")
    ticket = door.sign_in("index-of-one", code)
    door.sign_out(ticket)
    with pytest.raises(TicketEndedError):
        door.check_ticket(ticket, "index-of-one")
    ticket = door.sign_in("index-of-one", code)
    clock.advance(timedelta(minutes=30))
    with pytest.raises(TicketEndedError):
        door.check_ticket(ticket, "index-of-one")


def test_clerk_of_an_employer_needs_the_employers_number_and_acts_for_it(accounts: Accounts) -> None:
    with pytest.raises(BadValue) as refused:
        propose(accounts, "clerk1", "employer_clerk")
    assert refused.value.place.element == "employer"
    propose(accounts, "clerk1", "employer_clerk", employer="91130000MA0000001X")
    accounts.let_in("clerk1", by="security1")
    _, user = accounts.sign_in("clerk1", PASSWORD, SessionKind.API)
    assert user.actor.employer == "91130000MA0000001X"


def test_account_made_at_installation_signs_in_at_once(accounts: Accounts) -> None:
    accounts.install(NewAccount("system1", PASSWORD, "系统员", "system_administrator", "social_insurance", "130000"))
    assert accounts.sign_in("system1", PASSWORD, SessionKind.PAGE)[1].role == "system_administrator"
