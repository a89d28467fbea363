"""How much one user may ask of the API in a minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml
from web_deployment import Deployment, Program, serve_in_thread

from huodang.web import build_hub
from huodang.web.settings import HubSettings, SettingsError


@contextmanager
def limited(deployment: Deployment, requests_per_minute: int) -> Iterator[httpx.Client]:
    services = deployment.services
    rules = replace(services.settings.sessions, requests_per_minute=requests_per_minute)
    strict = replace(services, settings=replace(services.settings, sessions=rules))
    with serve_in_thread(build_hub(strict)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_who_asks_too_much_waits_and_others_go_on(deployment: Deployment) -> None:
    with limited(deployment, 3) as client:
        window, steward = Program(client, "window1"), Program(client, "steward1")
        paths = ("/api/v1/queue", "/api/v1/summary", "/api/v1/queue", "/api/v1/summary")
        answers = [client.get(path, headers=window.headers) for path in paths]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert [one.headers["ratelimit-remaining"] for one in answers[:3]] == ["2", "1", "0"]
        assert answers[-1].json()["code"] == "web.too_many"
        assert answers[-1].headers["content-type"].startswith("application/problem+json")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        again = Program(client, "window1")  # another session of the same user counts with the first
        assert client.get("/api/v1/queue", headers=again.headers).status_code == 429
        assert client.get("/api/v1/catalogue", headers=steward.headers).status_code == 200
        assert client.get("/health").status_code == 200


def test_who_is_not_signed_in_is_told_that_and_uses_up_nothing(deployment: Deployment) -> None:
    with limited(deployment, 1) as client:
        assert [client.get("/api/v1/queue").status_code for _ in range(3)] == [401, 401, 401]
        headers = Program(client, "window1").headers
        assert client.get("/api/v1/queue", headers=headers).status_code == 200


def test_no_limit_where_the_setting_is_nought(deployment: Deployment) -> None:
    with limited(deployment, 0) as client:
        headers = Program(client, "window1").headers
        answers = [client.get("/api/v1/queue?limit=1", headers=headers) for _ in range(12)]
        assert {one.status_code for one in answers} == {200}
        assert "ratelimit-remaining" not in answers[-1].headers


def test_demonstration_sets_no_limit_and_a_hub_by_itself_six_hundred(deployment: Deployment, tmp_path: Path) -> None:
    file = deployment.world.settings_file("hub")
    assert HubSettings.load(file).sessions.requests_per_minute == 0
    values = yaml.safe_load(file.read_text("utf-8"))
    changed = tmp_path / "hub.yaml"
    changed.write_text(yaml.safe_dump({**values, "sessions": {}}), "utf-8")
    assert HubSettings.load(changed).sessions.requests_per_minute == 600
    changed.write_text(yaml.safe_dump({**values, "sessions": {"requests_per_minute": -1}}), "utf-8")
    with pytest.raises(SettingsError) as refused:
        HubSettings.load(changed)
    assert refused.value.place.element == "sessions.requests_per_minute"
