"""``shimin policies import`` and ``shimin policies approve``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from base.errors import InputError, StateError, TooLargeError
from base.settings import VAR, get_settings
from cli.data import policies

__all__ = ["policies"]

DRAFTS = VAR / "policy_drafts"


@policies.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The document: txt, html, docx or pdf.")],
    output: Annotated[Path, typer.Option(help="Where drafts go; never the catalogue.")] = DRAFTS,
) -> None:
    """Read a policy document into a draft for a human to complete and approve."""
    from matcher.importing.approval import open_points
    from matcher.importing.draft import make_draft, render

    catalogue = get_settings().policies_dir.resolve()
    if output.resolve().is_relative_to(catalogue):
        raise InputError("draft_folder", "草稿不能放进政策目录，请用 --output 指定别的文件夹。")
    draft = make_draft(_content(file), file.name, date.today())
    output.mkdir(parents=True, exist_ok=True)
    target = output / f"{file.stem}.yml"
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(render(draft))
    except FileExistsError as error:
        raise StateError("draft_exists", f"草稿 {target} 已经存在，请先改名或者删去。") from error
    points = open_points(draft)
    typer.echo(f"草稿：{target}")
    typer.echo(f"条件 {len(draft.conditions)} 条，还有 {len(points)} 处要人工完成：")
    for number, point in enumerate(points, 1):
        typer.echo(f"  {number}. {point}")


@policies.command()
def approve(
    draft: Annotated[Path, typer.Argument(help="A completed draft.")],
    directory: Annotated[Path | None, typer.Option(help="Default: the configured one.")] = None,
) -> None:
    """Turn a completed draft into a policy file; open points end with code 2."""
    from matcher.importing.approval import approve as approve_draft
    from matcher.importing.approval import load_draft

    target = approve_draft(load_draft(draft), directory or get_settings().policies_dir)
    typer.echo(f"已发布：{target}")


def _content(file: Path) -> bytes:
    from matcher.importing.reading import MAX_BYTES

    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            "policy_file_unreadable", "文件无法打开，请检查路径。", str(error)
        ) from error
    if len(content) > MAX_BYTES:
        raise TooLargeError(
            "policy_file_too_large", f"文件超过{MAX_BYTES // 1024 // 1024}MB，请拆分后再导入。"
        )
    return content
