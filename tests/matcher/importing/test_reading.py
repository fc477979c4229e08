"""Strangers' files: each kind is read, and each bad one is refused in Chinese."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import InputError, TooLargeError
from matcher.importing.reading import MAX_BYTES, MAX_CHARS, read_paragraphs

MakeFile = Callable[[str, str], bytes]


def _flat(lines: tuple[str, ...]) -> str:
    return re.sub(r"\s", "", "".join(lines))


@pytest.mark.parametrize("kind", ["txt", "html", "docx", "pdf"])
def test_every_kind_gives_the_same_words(kind: str, make_file: MakeFile, notice: str) -> None:
    lines = read_paragraphs(make_file(notice, kind))
    assert _flat(lines) == re.sub(r"\s", "", notice)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_in_every_encoding(encoding: str, notice: str) -> None:
    assert read_paragraphs(notice.encode(encoding)) == tuple(notice.split("\n"))


def test_menus_and_footers_of_a_page_are_left_out(make_file: MakeFile, notice: str) -> None:
    text = _flat(read_paragraphs(make_file(notice, "html")))
    for furniture in ("首页", "当前位置", "网站标识码", "visited", "中国政府网"):
        assert furniture not in text


def test_rows_of_a_table_become_labelled_lines(table_docx: bytes) -> None:
    assert "支持方式：按贷款利息的50%给予贴息，最高100万元" in read_paragraphs(table_docx)


def test_lines_of_a_pdf_are_joined_into_paragraphs(make_file: MakeFile) -> None:
    long = "申请补贴的企业应当在本市登记注册并且依法纳税，" * 6 + "有严重失信记录的除外。"
    digits = "2026年10月10日至2026年11月11日受理，电话0571-87060011、0571-87060012、0571-87060013。"
    lines = read_paragraphs(make_file(f"关于补贴的通知\n{digits}\n{long}\n一、申报条件", "pdf"))
    assert lines[1:] == (digits, long, "一、申报条件")


def test_full_width_digits_and_page_numbers() -> None:
    text = "补贴标准为每人５００元，上限１００％。" * 3 + "\n— 3 —\n第2页 共9页\n结束了。"
    lines = read_paragraphs(text.encode())
    assert lines == ("补贴标准为每人500元，上限100%。" * 3, "结束了。")


def _refused(content: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_paragraphs(content)
    assert re.search("[\u4e00-\u9fff]", caught.value.message)
    return caught.value


def test_encrypted_pdf(encrypted_pdf: bytes) -> None:
    assert _refused(encrypted_pdf).code == "policy_file_encrypted"


def test_scanned_pdf(scanned_pdf: bytes) -> None:
    assert _refused(scanned_pdf).code == "policy_file_scanned"


def test_pdf_of_too_many_pages(long_pdf: bytes) -> None:
    error = _refused(long_pdf)
    assert isinstance(error, TooLargeError)
    assert "80页" in error.message


def test_too_many_bytes_and_characters() -> None:
    assert isinstance(_refused(b"a" * (MAX_BYTES + 1)), TooLargeError)
    assert isinstance(
        _refused(("补" * 100 + "\n").encode() * (MAX_CHARS // 100 + 1)), TooLargeError
    )


def test_archive_that_unpacks_to_too_much() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b"\0" * (61 * 1024 * 1024))
    assert isinstance(_refused(buffer.getvalue()), TooLargeError)


def test_word_file_with_entities(make_file: MakeFile, notice: str) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(make_file(notice, "docx"))) as good,
        zipfile.ZipFile(buffer, "w") as bad,
    ):
        for name in good.namelist():
            data = good.read(name)
            if name == "word/document.xml":
                entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
                head, rest = data.split(b"?>", 1)
                data = head + b"?>" + entity + rest.replace("一、".encode(), b"&e;", 1)
            bad.writestr(name, data)
    assert _refused(buffer.getvalue()).code == "policy_file_broken"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\nnothing of a PDF follows", "policy_file_broken"),
        (b"PK\x03\x04 no archive", "policy_file_broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "policy_file_unknown"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "policy_file_unknown"),
        ("太短".encode(), "policy_file_empty"),
        (b"", "policy_file_empty"),
    ],
)
def test_what_is_no_document(content: bytes, code: str) -> None:
    assert _refused(content).code == code


def test_a_pdf_cut_anywhere_is_read_or_refused(make_file: MakeFile, notice: str) -> None:
    content = make_file(notice, "pdf")
    for at in range(200, len(content), len(content) // 12):
        try:
            read_paragraphs(content[:at])
        except InputError as error:
            assert error.code.startswith("policy_file_")


@given(st.binary(max_size=400), st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>"]))
def test_any_bytes_are_read_or_refused(content: bytes, head: bytes) -> None:
    try:
        read_paragraphs(head + content)
    except InputError as error:
        assert error.code.startswith("policy_file_")
