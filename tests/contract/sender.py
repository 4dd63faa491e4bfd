"""Another system that pushes work orders, and signs by itself as Standard Webhooks say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

import httpx2

from tests.documented import documented
from tests.running import Running

ORDER = {
    "工单编号": "FZ16100800318",
    "诉求标题": "路灯不亮",
    "诉求内容": "东街路灯不亮一个月，请致电13912345678。",
    "诉求人": "王小明",
    "标签": ["路灯", "夜间"],
    "受理时间": "2026-11-20 08:00:00",
    "内部备注": {"批次": 3},
}


class Sender:
    """A source's sender, with its key."""

    def __init__(self, demo: Running) -> None:
        self.demo, self.office = demo, demo.as_("office")
        self.key = f"pushed-{secrets.token_hex(4)}"
        new = {"key": self.key, "name": "热线平台", "connector": "push", "channel": "hotline"}
        self.source = self.office.do("POST", f"{demo.here}/sources", new)
        self.address = f"{demo.url}/api/v1/intake/{self.source['address']}"
        self.secret = self.new_key()

    def new_key(self) -> str:
        made = self.office.do("POST", f"{self.demo.here}/sources/{self.key}/keys")
        return str(made["secret"])

    def headers(
        self, body: bytes, *, id_: str = "", at: float | None = None, secret: str = ""
    ) -> dict[str, str]:
        id_, stamp = id_ or f"msg_{secrets.token_hex(8)}", str(int(at or time.time()))
        key = base64.b64decode((secret or self.secret).removeprefix("whsec_"))
        signed = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
        return {
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            "content-type": "application/json",
        }

    def send(self, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        answer = httpx2.post(
            self.address, content=body, headers=headers, timeout=30, trust_env=False
        )
        documented(self.demo.url).check("POST", answer)
        return answer

    def push(self, told: Any, **how: Any) -> httpx2.Response:
        body = json.dumps(told).encode()
        return self.send(body, self.headers(body, **how))

    def state(self) -> Any:
        found = self.office.get(f"{self.demo.here}/sources")["items"]
        return next(one for one in found if one["key"] == self.key)

    def on_the_desk(self) -> list[Any]:
        """What came in, once the screener has seen it."""
        desk = self.demo.as_("moderator")
        for _ in range(60):
            path = f"{self.demo.here}/desk/questions?source={self.key}"
            found: list[Any] = desk.get(path)["items"]
            if found and all(one["status"] != "received" for one in found):
                return found
            time.sleep(0.1)
        raise AssertionError("nothing came in")
