"""What axe-core says about a page (tests/browser/vendor: axe-core 4.10.3, MPL-2.0)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_GRAVE = ("serious", "critical")
ENHANCED = "color-contrast-enhanced"
"""Text of 7 : 1 (WCAG 2.2, 1.4.6, level AAA)."""


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


def grave_issues(page: Page, *rules: str) -> list[str]:
    """Return every serious or critical issue of WCAG 2.2 A and AA and of ``rules`` besides."""
    page.evaluate(_axe())  # not subject to the page's own policy, which forbids foreign scripts
    found: list[str] = page.evaluate(
        """async ([impacts, rules]) => {
          const enabled = Object.fromEntries(rules.map((rule) => [rule, { enabled: true }]));
          const { violations } = await axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            rules: enabled, resultTypes: ["violations"],
          });
          return violations.filter(({ impact }) => impacts.includes(impact)).flatMap(
            ({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
        }""",
        [list(_GRAVE), list(rules)],
    )
    return found
