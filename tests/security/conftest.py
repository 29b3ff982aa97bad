"""The browser's site and Chromium serve here too."""

from tests.browser.conftest import chromium, site

__all__ = ["chromium", "site"]
