from __future__ import annotations

from pathlib import Path

import pytest

from packshot.errors import ConfigError
from tasks.environment.settings import Settings, get_settings, settings_table, variable


def test_settings_follow_the_environment_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_S3_BUCKET", "first")
    assert get_settings().s3_bucket == "first"
    monkeypatch.setenv("PACKSHOT_S3_BUCKET", "second")
    assert get_settings().s3_bucket == "second"


def test_settings_are_understood_once_for_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = get_settings()
    monkeypatch.setenv("SOME_OTHER_PROGRAMS_VARIABLE", "1")
    assert get_settings() is before
    monkeypatch.setenv("PACKSHOT_S3_BUCKETS", "a slip of the pen")
    with pytest.raises(ConfigError, match="PACKSHOT_S3_BUCKETS"):
        get_settings()
    monkeypatch.delenv("PACKSHOT_S3_BUCKETS")
    assert get_settings() is before


def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_S3_ACCESS_KEY", "visible-key")
    monkeypatch.setenv("PACKSHOT_S3_SECRET_KEY", "visible-secret")
    settings = get_settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "visible" not in shown


def test_a_wrong_variable_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_S3_ENDPOINT_URL", "http://user:hunter2@storage")
    monkeypatch.setenv("PACKSHOT_WORKER_THREADS", "many")
    with pytest.raises(ConfigError) as caught:
        get_settings()
    assert "PACKSHOT_S3_ENDPOINT_URL" in str(caught.value)
    assert "PACKSHOT_WORKER_THREADS" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_half_a_pair_of_keys_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_S3_ACCESS_KEY", "alone")
    monkeypatch.delenv("PACKSHOT_S3_SECRET_KEY", raising=False)
    with pytest.raises(ConfigError, match="PACKSHOT_S3_SECRET_KEY"):
        get_settings()


def test_caches_lie_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("PACKSHOT_MODELS_DIR", raising=False)
    assert get_settings().models_dir == tmp_path / "packshot" / "models"


def test_the_table_names_every_variable_with_a_meaning_and_no_path_of_this_machine() -> None:
    table = settings_table()
    for name, field in Settings.model_fields.items():
        assert f"`{variable(name)}`" in table
        assert field.description
    assert str(Path.home()) not in table
