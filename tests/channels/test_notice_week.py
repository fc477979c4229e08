"""The simulated week of ``benchmarks/notices``, small; and that its oracle can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.notices.week import is_clean, simulate


@pytest.mark.timeout(900)
def test_a_week_of_failures_breaks_no_rule_and_leaves_nobody_out(tmp_path: Path) -> None:
    scene, verdict, outside = simulate(tmp_path, 24, 5)
    assert scene.kills > 10
    assert outside.refused > 0
    assert verdict.told > 50
    assert is_clean(verdict), verdict
