"""The one page that hub and portal share: choosing the language."""

from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Redirect

from huodang.web.pages import language_cookie, own_path, see_other
from huodang.web.settings import SessionRules


@get("/language/{code:str}", opt={"public": True}, sync_to_thread=False)
def choose_language(request: Request[Any, Any, Any], code: FromPath[str]) -> Redirect:
    """Keep the language in a cookie and go back to the page."""
    rules: SessionRules = request.app.state.session_rules
    answer = see_other(own_path(request.query_params.get("back")))
    answer.cookies.append(language_cookie(code, secure=rules.secure_cookies))
    return answer
