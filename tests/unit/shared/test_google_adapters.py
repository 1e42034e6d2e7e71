"""Google's store and queue at the start."""

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.google.adapters import google_adapters
from shared.settings import Settings


def test_credentials_that_are_a_folder_end_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Docker makes one of a bind mount whose file is missing."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))
    with pytest.raises(SettingsError, match="Application Default Credentials"):
        google_adapters(Settings(google_cloud_project="p"))


def test_a_start_without_credentials_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # asks no metadata server
    with pytest.raises(SettingsError, match="Application Default Credentials") as refused:
        google_adapters(Settings(google_cloud_project="p"))
    assert "\n" not in str(refused.value)
