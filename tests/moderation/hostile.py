"""Files, pushed messages and answers of other systems as nobody should send them, each with what becomes of
it: `read`, or the code of the sentence that it is refused with. Letters are in `letters.py`.

All of them are made when they are asked for: some are large.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from moderation.intake.open311_text import BYTES_MOST
from tests.moderation import dirty_files
from tests.moderation.dirty_files import csv_bytes, part_of, raw_xlsx_bytes, repacked, xlsx_bytes

Kinds: TypeAlias = Mapping[str, tuple[Callable[[], bytes], str]]

GOOD_FILE = csv_bytes([("工单编号", "主要内容"), ("QX1", "路灯不亮")])
GOOD_ANSWER = json.dumps([{"service_request_id": "7", "description": "路灯不亮"}]).encode()
SMALL = (("工单编号", "主要内容", "受理时间"), ("QX1", "一行", "2019/3/1"))
SHEET = "xl/worksheets/sheet1.xml"
MB = 1 << 20


def _laughs() -> bytes:
    """A text of three gigabytes in nine short lines."""
    lines = "".join(
        f'<!ENTITY {chr(c + 1)} "{f"&{chr(c)};" * 10}">' for c in range(ord("a"), ord("j"))
    )
    return f'<!DOCTYPE x [<!ENTITY a "哈">{lines}]>'.encode()


def _dtd_xlsx(before: bytes, said: bytes) -> bytes:
    """A workbook whose sheet begins with a document type, and whose first text says this."""
    small = raw_xlsx_bytes(SMALL)
    sheet = part_of(small, SHEET).replace("一行".encode(), said)
    head, _, rest = sheet.partition(b"<worksheet")
    return repacked(small, {SHEET: head + before + b"<worksheet" + rest})


def _zip(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _slipping() -> bytes:
    """A good workbook with parts that would be written elsewhere by whoever unpacks it."""
    names = ("../../../tmp/pingyi-slipped", "/tmp/pingyi-slipped", "..\\..\\pingyi-slipped")
    return repacked(raw_xlsx_bytes(SMALL), dict.fromkeys(names, b"slipped"))


def _beside_noise() -> bytes:
    """Blanks of 150 MB beside noise, so that the whole is packed no closer than a good one may be."""
    small = raw_xlsx_bytes(SMALL)
    noise = random.Random(1).randbytes(MB)
    return repacked(small, {"xl/media/a": noise, "xl/media/b": b" " * (150 * MB)})


def _blanks_in_the_sheet() -> bytes:
    """The same within the sheet that is read."""
    small = raw_xlsx_bytes(SMALL)
    sheet = part_of(small, SHEET).replace(b"</sheetData>", b" " * (120 * MB) + b"</sheetData>")
    return repacked(small, {"xl/media/a": random.Random(1).randbytes(MB), SHEET: sheet})


def _long_record() -> bytes:
    """A workbook of the old format whose every record says that it is as long as can be."""
    data = bytearray(dirty_files.xls_bytes([("工单编号", "主要内容"), ("QX1", "一行")]))
    for place in range(512, 2048, 4):
        data[place + 2 : place + 4] = b"\xff\xff"
    return bytes(data)


def _looped_sectors() -> bytes:
    """A compound file whose table of sectors leads in a circle."""
    data = bytearray(dirty_files.xls_bytes([("工单编号", "主要内容"), ("QX1", "一行")]))
    table = len(data) - 512
    data[table : table + 32] = b"\1\0\0\0\0\0\0\0" * 4
    return bytes(data)


FILES: Kinds = {
    "nothing": (lambda: b"", "file_empty"),
    "nothing but white space": (lambda: b" \r\n" * 5 * MB, "file_empty"),
    "a web page called .xls": (lambda: b"<html><table><tr><td>x" * 1000, "file_kind_unknown"),
    "a page of PDF": (lambda: b"%PDF-1.7\n" * 1000, "file_kind_unknown"),
    "a program": (lambda: b"\x7fELF\x02\x01\0\0\0" * 1000, "file_kind_unknown"),
    "an archive that is no workbook": (lambda: _zip({"a.txt": b"x"}), "file_kind_unknown"),
    "half a workbook": (lambda: xlsx_bytes()[:-200], "workbook_broken"),
    "a workbook of noise": (
        lambda: b"PK\x03\x04" + random.Random(2).randbytes(MB),
        "workbook_broken",
    ),
    "an old workbook of noise": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.Random(3).randbytes(MB),
        "workbook_broken",
    ),
    "an old workbook of endless records": (_long_record, "workbook_broken"),
    "an old workbook in a circle": (_looped_sectors, "read"),
    "packed in no known way": (lambda: dirty_files.headed_xlsx(10, 99), "workbook_broken"),
    "a password": (lambda: dirty_files.headed_xlsx(8, 1), "file_encrypted"),
    "zip bomb": (dirty_files.bomb_xlsx, "workbook_unsafe"),
    "zip bomb beside noise": (_beside_noise, "workbook_unsafe"),
    "zip bomb in the sheet itself": (_blanks_in_the_sheet, "workbook_unsafe"),
    "zip-slip": (_slipping, "read"),
    "thousands of parts": (lambda: dirty_files.crowded_xlsx(5_000), "workbook_unsafe"),
    "XML bomb in a workbook": (lambda: _dtd_xlsx(_laughs(), b"&j;"), "read"),
    "a file of ours by an entity": (
        lambda: _dtd_xlsx(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b"&e;"),
        "read",
    ),
    "a cell in the last corner": (dirty_files.far_cell_xlsx, "workbook_too_heavy"),
    "one long text in every row": (dirty_files.echo_xlsx, "workbook_too_heavy"),
    "10,000 columns": (
        lambda: csv_bytes([["主要内容", *map(str, range(10_000))]] * 50),
        "too_many_columns",
    ),
    "10,000 columns of a workbook": (
        lambda: raw_xlsx_bytes([["主要内容", *map(str, range(10_000))]]),
        "too_many_columns",
    ),
    "formulas": (
        lambda: raw_xlsx_bytes(SMALL, "D2"),
        "read",
    ),
    "true date cells among text": (
        lambda: raw_xlsx_bytes([*SMALL, ("QX2", datetime(2019, 3, 1), "x"), ("QX3", "y", datetime(2019, 3, 1))]),
        "read",
    ),
    "an endless line": (lambda: b"x" * (40 * MB), "line_too_long"),
    "nothing but commas": (lambda: b"," * (40 * MB), "line_too_long"),
    "nothing but line breaks": (lambda: b"x" + b"\n" * (40 * MB), "too_many_rows"),
    "millions of short rows": (
        lambda: "工单编号,主要内容\n".encode() + b"a,b\n" * (10 * MB),
        "too_many_rows",
    ),
    "a mark that never closes": (
        lambda: '工单编号,主要内容\nQX1,"没有收尾\n'.encode() + "QX2,丙\n".encode() * MB,
        "csv_broken",
    ),
    "NUL bytes at the beginning": (lambda: b"\0" * 1000 + GOOD_FILE, "file_kind_unknown"),
    "NUL bytes in a cell": (lambda: GOOD_FILE.replace("路灯".encode(), b"\0\0a\0"), "file_kind_unknown"),
    "NUL bytes far below": (
        lambda: GOOD_FILE + "QX2,路灯不亮\r\n".encode() * 400 + b"QX3,\0a\0\r\n",
        "read",
    ),
    "a mark of UTF-8 before GBK": (
        lambda: b"\xef\xbb\xbf" + "工单编号,主要内容\nQX1,路灯".encode("gbk"),
        "encoding_unknown",
    ),
    "a mark of UTF-16 before UTF-8": (lambda: b"\xff\xfe" + GOOD_FILE + b"x", "content_column_missing"),
    "UTF-8 that breaks off late": (
        lambda: csv_bytes() * 2_000 + b"\xe8\xb7",
        "encoding_unknown",
    ),
    "direction marks and accents piled up": (
        lambda: csv_bytes([*SMALL, ("QX2", "\u202e路" + "\u0301" * 19_000, "")] ),
        "read",
    ),
    "numbers that are none": (
        lambda: csv_bytes([*SMALL, *((f"{n}", "x", "9" * 30_000) for n in range(50))]),
        "read",
    ),
}  # fmt: skip

ANSWERS: Kinds = {
    "billion laughs": (
        lambda: _laughs() + b"<service_requests><request>&j;</request></service_requests>",
        "open311_doctype",
    ),
    "an external entity": (
        lambda: (
            b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><service_requests>&x;'
            b"</service_requests>"
        ),
        "open311_doctype",
    ),
    "an external DTD": (
        lambda: b'<!DOCTYPE r SYSTEM "http://elsewhere.example/x.dtd"><service_requests/>',
        "open311_doctype",
    ),
    "XML 50,000 deep": (lambda: b"<a>" * 50_000, "open311_too_deep"),
    "XML of 300,000 elements": (lambda: b"<services>" + b"<a/>" * 300_000, "open311_too_deep"),
    "XML of one name without end": (lambda: b"<" + b"a" * (7 * MB), "open311_not_xml"),
    "XML of attributes without end": (
        lambda: b"<a " + b"".join(b"x%d='' " % n for n in range(300_000)),
        "open311_not_xml",
    ),
    "XML that does not close": (lambda: b"<service_requests><request>", "open311_not_xml"),
    "an entity of HTML": (
        lambda: b"<service_requests>&nbsp;</service_requests>",
        "open311_not_xml",
    ),
    "a page of HTML": (
        lambda: b"<!DOCTYPE html><html><body>502</body></html>",
        "open311_doctype",
    ),
    "an older page": (lambda: b"<html><br></html>", "open311_not_xml"),
    "an empty answer": (lambda: b"", "open311_not_xml"),
    "an encoding nobody knows": (
        lambda: b'<?xml version="1.0" encoding="klingon"?><a/>',
        "open311_encoding",
    ),
    "NUL bytes in XML": (
        lambda: b"<service_requests>\0</service_requests>",
        "open311_not_xml",
    ),
    "beyond what is fetched": (lambda: b" " * (BYTES_MOST + 1), "open311_too_large"),
    "no list": (lambda: b"<request><description>x</description></request>", "open311_shape"),
    "texts in place of requests": (
        lambda: b"<service_requests><request>x</request></service_requests>",
        "open311_shape",
    ),
    "JSON 100,000 deep": (lambda: b"[" * 100_000, "open311_too_deep"),
    "JSON of empty lists": (lambda: b"[" + b"[]," * (2 * MB) + b"[]]", "open311_too_deep"),
    "JSON of one long text": (lambda: b'[{"description":"' + b"x" * (7 * MB) + b'"}]', "read"),
    "JSON of numbers without end": (lambda: b'[{"a":' + b"9" * (7 * MB) + b"}]", "read"),
    "JSON that breaks off": (lambda: GOOD_ANSWER[:-1], "open311_not_json"),
    "JSON in no encoding": (lambda: b"[\xff]", "open311_encoding"),
    "a code that begins with 0": (
        lambda: b'[{"service_request_id":007}]',
        "open311_leading_zero",
    ),
    "1,001 requests": (lambda: json.dumps([{}] * 1001).encode(), "open311_too_many"),
    "NUL bytes in names and values": (
        lambda: json.dumps(
            [{"a\0": "b\0", "service_request_id": "1", "description": "\0x"}]
        ).encode(),
        "read",
    ),
}
"""Answers of an Open311 endpoint: XML up to the first that begins with `JSON`, see `form_of`."""


def form_of(name: str) -> str:
    """What the endpoint was asked for."""
    names = list(ANSWERS)
    return "xml" if names.index(name) < names.index("JSON 100,000 deep") else "json"


ORDER: Mapping[str, Any] = {"工单编号": "FZ1", "诉求内容": "路灯不亮"}


def surnames(length: int) -> str:
    """What takes longest to mask: anything in it may be a name."""
    return "赵钱孙李周吴郑王冯陈张刘杨" * (length // 13)


def _of_surnames(items: int, length: int) -> bytes:
    text = surnames(length)
    said = [{"工单编号": f"S{n}", "诉求内容": text} for n in range(items)]
    return json.dumps({"items": said}, ensure_ascii=False).encode()


MESSAGES: Kinds = {
    "an empty body": (lambda: b"", "push_refused"),
    "half an object": (lambda: b"{", "push_refused"),
    "a list": (lambda: b"[]", "push_refused"),
    "a text": (lambda: b'"x"', "push_refused"),
    "items that are a number": (lambda: b'{"items": 3}', "push_refused"),
    "items that are no objects": (lambda: b'{"items": [1]}', "push_refused"),
    "no UTF-8": (lambda: b"\xff\xfe{}", "push_refused"),
    "NUL bytes alone": (lambda: b"\0" * 10_000, "push_refused"),
    "lists in lists": (lambda: b"[" * 100_000, "push_refused"),
    "objects in an item": (
        lambda: b'{"items":[' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}",
        "push_refused",
    ),
    "a number of 5,000 digits": (lambda: b'{"a": ' + b"9" * 5000 + b"}", "push_refused"),
    "201 items": (lambda: json.dumps({"items": [ORDER] * 201}).encode(), "push_refused"),
    "over a megabyte": (lambda: b" " * (MB + 1), "too_large"),
    "10,000 members": (
        lambda: json.dumps({**ORDER, **{f"m{n}": "x" for n in range(10_000)}}).encode(),
        "read",
    ),
    "200 items of nothing": (lambda: json.dumps({"items": [{}] * 200}).encode(), "read"),
    "one text of a megabyte": (
        lambda: json.dumps({"工单编号": "1", "诉求内容": "x" * 1_000_000}).encode(),
        "read",
    ),
    "surnames": (lambda: _of_surnames(17, 20_000), "push_refused"),
    "as many surnames as may be": (lambda: _of_surnames(4, 10_000), "read"),
    "NUL bytes in a text": (
        lambda: json.dumps({"工单编号": "\0", "诉求内容": "\0\ud800\u202e"}).encode(),
        "read",
    ),
    "the same name twice": (lambda: b'{"items":[{"id":1,"id":2,"content":""}]}', "read"),
}
"""Messages that are rightly signed. `read`: answered with 200, every item of it refused alone."""
