"""Configs are read when they are whole. A change has the shots mastered again that it concerns, and no others."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from packshot.errors import ConfigError
from packshot.specs.models import Configs
from packshot.specs.resolve import FALLBACK_CLIENT
from tasks.environment import configs as reading
from tasks.environment.configs import configs_in_force, fingerprint
from tests.configs import changed_configs, shipped_configs
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def configs() -> Configs:
    return shipped_configs()


def guided(configs: Configs, client: str, **changed: Any) -> Configs:
    """The configs with another style guide of one client."""
    base = configs.clients.get(client, configs.clients[FALLBACK_CLIENT])
    return configs.model_copy(update={"clients": {**configs.clients, client: base.model_copy(update=changed)}})


def test_a_change_of_one_client_concerns_no_other(configs: Configs) -> None:
    new = guided(configs, "another", cmyk_profile="press.icc")
    for client in (*configs.clients, "unknown"):
        assert fingerprint(new, client=client) == fingerprint(configs, client=client)
    broken = configs.model_copy(update={"broken_clients": {"another": "line 3"}})
    assert fingerprint(broken, client="demo") == fingerprint(configs, client="demo")


def test_a_client_s_own_change_concerns_it(configs: Configs) -> None:
    known = fingerprint(configs, client="demo")
    assert fingerprint(guided(configs, "demo", cmyk_profile="press.icc"), client="demo") != known
    broken = configs.model_copy(update={"broken_clients": {"demo": "line 3"}})
    assert fingerprint(broken, client="demo") != known


def test_a_client_without_a_style_guide_follows_the_one_for_all(configs: Configs) -> None:
    changed = guided(configs, FALLBACK_CLIENT, cmyk_profile="press.icc")
    assert fingerprint(changed, client="unknown") != fingerprint(configs, client="unknown")


def test_what_all_share_concerns_all_and_what_reports_read_concerns_none(configs: Configs) -> None:
    fewer = configs.model_copy(update={"categories": dict(list(configs.categories.items())[1:])})
    assert fingerprint(fewer, client="demo") != fingerprint(configs, client="demo")
    dearer = configs.model_copy(update={"daily": configs.daily.model_copy(update={"currency": "XTS"})})
    assert fingerprint(dearer, client="demo") == fingerprint(configs, client="demo")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configs that somebody edits while the line works; `acme` has a style guide of its own."""
    made = changed_configs(tmp_path / "configs", {})
    shutil.copyfile(made / "clients" / "demo.yaml", made / "clients" / "acme.yaml")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(made))
    return made


@contextmanager
def saved_meanwhile(file: Path, text: str) -> Iterator[None]:
    """Somebody's editor, which is slow, writes a file during the block."""
    writer = threading.Timer(0.2, file.write_text, [text])
    writer.start()
    yield
    writer.join()


@pytest.mark.parametrize("name", ["routing.yaml", "clients/acme.yaml"])
@pytest.mark.parametrize("half_written", [True, False])
def test_a_file_that_is_just_being_saved_is_read_when_it_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, half_written: bool
) -> None:
    """Kind of test that was missing: one that reads configs in the middle of a change.

    Some editors empty a file and write it, others move it away and write another. A client without a file is worked for
    by the style guide for all, so a moment without one may be delivered.
    """
    monkeypatch.setattr(reading, "SETTLE_S", PATIENCE_S)
    before = configs_in_force()
    text = (folder / name).read_text()
    if half_written:
        (folder / name).write_text(f"{text}\nhalf a wo")
    else:
        (folder / name).rename(folder / f"{name}~")
    with saved_meanwhile(folder / name, text):
        assert configs_in_force() == before


def test_a_file_that_stays_wrong_is_told_and_a_client_that_stays_away_has_no_style_guide(folder: Path) -> None:
    assert "acme" in configs_in_force().clients
    (folder / "clients" / "acme.yaml").unlink()
    assert "acme" not in configs_in_force().clients
    (folder / "clients" / "demo.yaml").write_text("half a wo")
    assert set(configs_in_force().broken_clients) == {"demo"}
    (folder / "routing.yaml").unlink()
    with pytest.raises(ConfigError):
        configs_in_force()
