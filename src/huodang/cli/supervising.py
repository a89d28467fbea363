"""What `huodang clues` and `huodang paylist` share: an agency's services, and the person who signs in for an act."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from huodang.exchange import Actor
    from huodang.supervision.clues import ClueDesk
    from huodang.supervision.control import PaymentControl
    from huodang.supervision.control.paylists import Paylists
    from huodang.web.services import Services

Config = Annotated[
    Path, typer.Option("--config", help="枢纽的 hub.yaml / the hub's hub.yaml", exists=True, dir_okay=False)
]
User = Annotated[
    str, typer.Option("--user", help="谁来办：账号，口令另问 / who acts: an account; the password is asked for")
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Note = Annotated[str, typer.Option("--note", help="理由，封存保管 / the reason; kept sealed")]


@dataclass(frozen=True)
class Agency:
    """Clues, payment control and monthly lists of one hub."""

    services: "Services"

    @property
    def clues(self) -> "ClueDesk":
        """The clue desk."""
        return self.services.supervision.clues

    @property
    def control(self) -> "PaymentControl":
        """Payment control."""
        return self.services.supervision.control

    @property
    def paylists(self) -> "Paylists":
        """The gate of the monthly list."""
        return self.services.supervision.paylists

    def signed_in(self, user: str) -> "Actor":
        """Sign a person in by account and password; the password comes from HUODANG_PASSWORD or is asked for.

        Raises:
            SignInRefusedError: account or password is wrong.
        """
        from huodang.web.sessions import SessionKind

        password = os.environ.get("HUODANG_PASSWORD") or typer.prompt(f"{user} 的口令 / password", hide_input=True)
        token, found = self.services.accounts.sign_in(user, password, SessionKind.API)
        self.services.accounts.sign_out(token)
        return found.actor


@contextmanager
def agency(config: Path) -> Iterator[Agency]:
    """Open the services of a hub for one command."""
    from huodang.web import HubSettings, assemble

    services = assemble(HubSettings.load(config))
    try:
        yield Agency(services)
    finally:
        services.close()


def print_json(value: object) -> None:
    """Print a value of ours as JSON."""
    import msgspec

    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())
