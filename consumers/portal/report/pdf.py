"""Prints a report as PDF/A-3 with its content and seal attached, and reads them back out of one."""

import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import segno
import typst
from pypdf.errors import PyPdfError

from consumers.portal.report.content import Content
from exchange.errors import RequestError
from exchange.report_seal import Seal, canonical

_TEMPLATE = Path(__file__).with_name("report.typ")
_FONTS = "pylopdf_fonts_zh_cn"
LARGEST_BYTES = 10_000_000
"""Of a file that is taken for a report."""


class Press:
    """Sets reports in type. Not to be used by two threads at once."""

    def __init__(self) -> None:
        with as_file(files(_FONTS)) as folder:
            fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        self._compiler = typst.Compiler(root=_TEMPLATE.parent, font_paths=fonts)

    def print(self, content: Content, seal: Seal, code: str, link: str, verify: str) -> bytes:
        """The PDF.

        Args:
            content: of the report.
            seal: over it.
            code: for people.
            link: behind the QR code.
            verify: address of the page of verification.
        """
        qr = BytesIO()
        segno.make(link, error="m", micro=False).save(qr, kind="svg", xmldecl=False, border=2)
        given = {
            "report": json.dumps(content, ensure_ascii=False), "canonical": canonical(content).decode(),
            "seal": json.dumps(seal._asdict()), "code": code, "qr": qr.getvalue().decode(), "verify": verify,
        }  # fmt: skip
        printed = self._compiler.compile(_TEMPLATE, format="pdf", sys_inputs=given, pdf_standards=["a-3b"])
        if not isinstance(printed, bytes):
            raise TypeError("one document is one file")
        return printed


def read_report(raw: bytes) -> tuple[Mapping[str, Any], Seal]:
    """Content and seal of a report's PDF.

    Raises:
        RequestError: `not_a_report`.
    """
    try:
        attached = pypdf.PdfReader(BytesIO(raw[:LARGEST_BYTES])).attachments
        content = msgspec.json.decode(attached["report.json"][0], type=dict[str, Any])
        seal = msgspec.json.decode(attached["seal.json"][0], type=dict[str, str])
        return content, Seal(seal["key_id"], seal["signature"])
    except (PyPdfError, msgspec.MsgspecError, KeyError, IndexError, ValueError, TypeError, RecursionError) as error:
        raise RequestError(
            f"不是信用报告 this is no credit report of this bus: {error}", code="not_a_report",
            remedy="give the PDF as it was issued, not a scan of it",
        ) from error  # fmt: skip
