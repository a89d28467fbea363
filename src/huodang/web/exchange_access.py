"""Who may see which pages of the exchange: asked of the policies, once a request; no page decides by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from huodang.exchange import Action, Actor, CatalogueEntry, DecisionRequest, decide
from huodang.web.language import translate
from huodang.web.pages import language_of
from huodang.web.problems import ForbiddenError
from huodang.web.security import StaffRequest
from huodang.web.services import Services

SHARING_PURPOSE = "sharing"


def may_oversee(actor: Actor, *departments: str) -> bool:
    """Whether somebody may see figures and states of what concerns one of these departments; never personal data."""
    return may_keep_system(actor) or any(
        decide(DecisionRequest(actor, Action.VIEW_AGREEMENTS, department=one)).permitted for one in departments
    )


def may_manage(actor: Actor, *departments: str) -> bool:
    """Whether somebody keeps the catalogue entries and agreements of one of these departments."""
    return any(
        decide(DecisionRequest(actor, Action.MANAGE_AGREEMENTS, department=one)).permitted for one in departments
    )


def may_keep_system(actor: Actor) -> bool:
    """Whether somebody keeps the hub itself running."""
    return decide(DecisionRequest(actor, Action.MANAGE_SYSTEM)).permitted


@dataclass(frozen=True)
class Visit:
    """One request to a page of the exchange: who asks, in which language, and what the catalogue calls things."""

    request: StaffRequest
    services: Services

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.request.user.actor

    @property
    def department(self) -> str:
        """The department of who asks."""
        return self.request.user.department

    @cached_property
    def language(self) -> str:
        """The language of the page."""
        return language_of(self.request)

    @cached_property
    def entries(self) -> dict[str, CatalogueEntry]:
        """The catalogue in force."""
        with self.services.database.read() as connection:
            return self.services.catalogue.entries(connection)

    def say(self, chinese: str, **values: object) -> str:
        """A sentence of the message catalogue."""
        return translate(chinese, self.language, **values)

    def pick(self, label: tuple[str, str]) -> str:
        """Of a label that a room hands out in Chinese and English, the one to show."""
        return label[1] if self.language == "en" and label[1] else label[0]

    def title(self, resource: str) -> str:
        """What the catalogue calls a resource; its name where the catalogue holds it no more."""
        entry = self.entries.get(resource)
        return self.pick((entry.title.chinese, entry.title.english)) if entry is not None else resource

    def oversees(self, *departments: str) -> bool:
        """Whether what concerns one of these departments may be shown."""
        return may_oversee(self.actor, *departments)

    def require(self, permitted: bool) -> None:  # noqa: FBT001  (reads as a sentence: require(may_manage(…)))
        """See that something is permitted.

        Raises:
            ForbiddenError: it isn't.
        """
        if not permitted:
            raise ForbiddenError

    def overseen(self, departments: Iterable[str]) -> list[str]:
        """Of some departments, those whose matters may be shown."""
        return [one for one in departments if may_oversee(self.actor, one)]
