from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Command

TEXT = """云州市民政局关于发放高龄津贴的通知
云民发〔2026〕8号
一、发放对象
具有本市户籍、年满80周岁的老年人。
二、发放标准
每人每月120元。
三、咨询电话：0571-87050099
云州市民政局
2026年1月5日
"""


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    path = tmp_path / "高龄津贴.txt"
    path.write_text(TEXT, "utf-8")
    return path


def test_a_document_becomes_a_draft_and_the_draft_a_policy(
    command: Command, tmp_path: Path, notice: Path
) -> None:
    done = command("policies", "import", str(notice), "--output", str(tmp_path / "drafts"))
    assert done.returncode == 0, done.stderr
    assert "fields.origin" in done.stdout
    draft = tmp_path / "drafts" / "高龄津贴.yml"
    data = yaml.safe_load(draft.read_text("utf-8"))
    assert [c["when"] for c in data["conditions"]] == ["hukou = 'local' AND age >= 80"]
    assert data["fields"]["benefit.amount"] == {"value": 120, "sentence": "每人每月120元。"}

    refused = command("policies", "approve", str(draft), "--directory", str(tmp_path / "policies"))
    assert refused.returncode == 2
    assert "群众可能的问法至少要3条" in refused.stderr
    assert not (tmp_path / "policies").exists()

    for path, value in {
        "id": "age_allowance",
        "origin": "sample",
        "summary": "高龄津贴",
        "apply.place": "社区",
    }.items():
        data["fields"][path] = {"value": value}
    data["lists"]["steps"] = [{"value": "社区申请"}]
    data["lists"]["materials"] = [{"value": "身份证"}]
    data["lists"]["queries"] = [{"value": f"老人补贴{n}"} for n in range(3)]
    draft.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    done = command("policies", "approve", str(draft), "--directory", str(tmp_path / "policies"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "policies" / "resident" / "age_allowance.yml").is_file()


def test_a_draft_is_not_written_over(command: Command, tmp_path: Path, notice: Path) -> None:
    arguments = ("policies", "import", str(notice), "--output", str(tmp_path / "drafts"))
    assert command(*arguments).returncode == 0
    draft = tmp_path / "drafts" / "高龄津贴.yml"
    draft.write_text("edited", "utf-8")
    done = command(*arguments)
    assert (done.returncode, draft.read_text("utf-8")) == (2, "edited")
    assert "已经存在" in done.stderr


def test_drafts_never_go_into_the_catalogue(command: Command, notice: Path) -> None:
    from base.settings import get_settings

    folder = get_settings().policies_dir / "enterprise"
    before = sorted(folder.iterdir())
    done = command("policies", "import", str(notice), "--output", str(folder))
    assert done.returncode == 2
    assert "政策目录" in done.stderr
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "无法打开"), (b"x" * (10 * 1024 * 1024 + 1), "超过10MB"), (b"%PDF-1.4 torn", "已损坏")],
)
def test_a_bad_file_is_told_in_one_line(
    command: Command, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "bad.pdf"
    if content is not None:
        path.write_bytes(content)
    done = command("policies", "import", str(path), "--output", str(tmp_path / "drafts"))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "drafts").exists()
