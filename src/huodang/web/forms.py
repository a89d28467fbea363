"""What a browser's form or a program's JSON brought, read strictly: texts only, one value a name, bounded."""

from collections.abc import Mapping
from typing import Any, Final

from litestar.params import URLEncodedBody

from huodang.web.problems import BadFormError

FormData = URLEncodedBody[dict[str, Any]]
LONGEST_TEXT: Final = 4000
CSRF_FIELD: Final = "_csrf_token"


class Form:
    """The fields of one submitted form."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the fields over.

        Raises:
            BadFormError: a field came twice, is no text, or is longer than any field may be.
        """
        for name, value in data.items():
            if not isinstance(value, str) or len(value) > LONGEST_TEXT:
                raise BadFormError(name if name.isidentifier() else None)
        self._fields: dict[str, str] = dict(data)

    def text(self, name: str, default: str = "") -> str:
        """One field without the blanks around it."""
        return self._fields.get(name, default).strip()

    def secret(self, name: str) -> str:
        """One field exactly as typed: a password may start with a blank."""
        return self._fields.get(name, "")

    def fields(self, *without: str) -> dict[str, str]:
        """All fields but the form's own token and those named."""
        return {name: value for name, value in self._fields.items() if name != CSRF_FIELD and name not in without}
