"""Documents as files, made by the tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx
import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen import canvas

from benchmarks.policy_import.corpus import as_file

NOTICE = """云州市商务局关于申报2026年出口信用保险补贴的通知
云商务〔2026〕33号
各区（县）商务主管部门：
一、申报条件
（一）在云州市注册的企业；
（二）上年度出口额不超过5000万美元；
（三）拥有省级以上出口品牌；
（四）无严重失信记录。
二、补贴标准
按实际缴纳保费的40%给予补贴，单个企业最高不超过60万元。
三、申报时间
2026年11月1日至2026年12月15日。
四、申报材料
1.补贴申请表；
2.保险单。
五、联系方式
到云州市政务服务中心二楼窗口办理，电话：0571-87060011。
云州市商务局
2026年10月20日"""


@pytest.fixture
def notice() -> str:
    """A short official notice for enterprises; one of its conditions has no column."""
    return NOTICE


@pytest.fixture
def make_file() -> Callable[[str, str], bytes]:
    """Makes a txt, html, docx or pdf file of a text."""
    return as_file


@pytest.fixture
def encrypted_pdf(make_file: Callable[[str, str], bytes]) -> bytes:
    """A PDF that asks for a password."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_file(NOTICE, "pdf"))))
    writer.encrypt("geheim", algorithm="AES-256")
    return _written(writer)


@pytest.fixture
def scanned_pdf() -> bytes:
    """A PDF whose pages hold a drawing and no text."""
    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer)
    for _ in range(3):
        drawing.rect(50, 50, 400, 600, fill=1)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()


@pytest.fixture
def long_pdf() -> bytes:
    """A PDF of too many pages."""
    writer = PdfWriter()
    for _ in range(81):
        writer.add_blank_page(200, 200)
    return _written(writer)


@pytest.fixture
def table_docx() -> bytes:
    """A Word file whose conditions stand in a table."""
    document = docx.Document()
    document.add_paragraph("云州市企业技术改造贴息办事指南")
    table = document.add_table(rows=0, cols=2)
    for name, value in (
        ("受理条件", "在云州市注册的工业企业，从业人员300人以下"),
        ("支持方式", "按贷款利息的50%给予贴息，最高100万元"),
    ):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = name, value
    document.add_paragraph("云州市经济和信息化局")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _written(writer: PdfWriter) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
