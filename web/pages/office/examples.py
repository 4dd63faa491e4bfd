"""Copyable examples for whoever connects a system that pushes. Pure; a test runs them."""

from __future__ import annotations

from dataclasses import dataclass

from moderation.intake.push import ITEMS_MOST
from server.domain.sources import IntakeSource

SHELL = """\
SECRET='whsec_…'
URL='{url}'
BODY='{{"items":[{{"工单编号":"20261129-0001","诉求标题":"路灯不亮","诉求内容":"东街路灯不亮一个月，由谁维修？","受理时间":"2026-11-29 08:30:00","被反映区":"东城区"}}]}}'
ID="msg_$(date +%s%N)"
AT=$(date +%s)
KEY=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf '%s.%s.%s' "$ID" "$AT" "$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl -sS "$URL" \\
  -H 'content-type: application/json' \\
  -H "webhook-id: $ID" -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIGNATURE" \\
  --data-binary "$BODY"
"""

PYTHON = """\
import base64, hashlib, hmac, json, time, urllib.request, uuid

SECRET = "whsec_…"
URL = "{url}"

def push(items):
    body = json.dumps({{"items": items}}, ensure_ascii=False).encode()
    number, at = f"msg_{{uuid.uuid4().hex}}", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key, f"{{number}}.{{at}}.".encode() + body, hashlib.sha256).digest()
    headers = {{
        "content-type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }}
    request = urllib.request.Request(URL, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

print(push([{{"工单编号": "20261129-0002", "诉求内容": "小区门口积水，何时疏通？"}}]))
"""

ANSWER = """\
{"rows":1,"new":1,"updated":0,"unchanged":0,"refused":[],"codes":{"20261129-0001":"K7M2QX4P"}}
"""


@dataclass(frozen=True)
class Examples:
    """The page: the address, the most items of a message, and the three texts."""

    slug: str
    name: str
    url: str
    most: int
    shell: str
    python: str
    answer: str


def examples_page(slug: str, source: IntakeSource, base: str) -> Examples:
    """`base` is the address by which outside systems reach this installation."""
    url = f"{base}/api/v1/intake/{source.address}"
    return Examples(
        slug, source.name, url, ITEMS_MOST, SHELL.format(url=url), PYTHON.format(url=url), ANSWER
    )
