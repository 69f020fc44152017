"""The marker of tests that start a browser: ``-m 'not browser'`` leaves them out."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "browser: needs chromium, chromium-driver, selenium and axe-playwright-python"
    )
