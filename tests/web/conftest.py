"""Fixtures of the web's tests; the parts stand in `web_deployment.py`."""

from collections.abc import Iterator

import httpx
import pytest
from web_deployment import Browser, Deployment, Program, deploy


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment for all tests; each takes people of its own."""
    yield from deploy(tmp_path_factory.mktemp("deployment"))


@pytest.fixture
def client(deployment: Deployment) -> Iterator[httpx.Client]:
    """A client of the hub, with no cookies yet."""
    with httpx.Client(base_url=deployment.hub_address, follow_redirects=True, timeout=30) as made:
        yield made


@pytest.fixture
def browser(client: httpx.Client) -> Browser:
    """A browser at the workbench."""
    return Browser(client)


@pytest.fixture
def window(client: httpx.Client) -> Program:
    """A program with a window clerk's account."""
    return Program(client, "window1")


@pytest.fixture
def visitor(deployment: Deployment) -> Iterator[Browser]:
    """A browser at the portal."""
    with httpx.Client(base_url=deployment.portal_address, follow_redirects=True, timeout=30) as made:
        yield Browser(made)
