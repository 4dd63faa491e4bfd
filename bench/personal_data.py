"""Personal numbers and their look-alikes as people write them, made by a seed: nobody's."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from moderation.screening.spans import Kind

AREAS = ("010", "021", "0591", "0731", "0951", "0371", "0755", "023")
REGIONS = ("110105", "350102", "430103", "640104", "440305", "510107")
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
MOBILE_STARTS = ("130", "133", "138", "139", "147", "150", "157", "166", "173", "177", "186", "198")


class Made:
    """Makes one number after another; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._by = random.Random(seed)

    def _digits(self, n: int) -> str:
        return "".join(self._by.choice("0123456789") for _ in range(n))

    def _one(self, *forms: str) -> str:
        return self._by.choice(forms)

    def mobile(self) -> str:
        number = self._by.choice(MOBILE_STARTS) + self._digits(8)
        a, b, c = number[:3], number[3:7], number[7:]
        wide = number.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
        return self._one(
            *(number,) * 6, f"{a} {b} {c}", f"{a}-{b}-{c}", f"+86{number}", f"86-{number}", wide
        )

    def landline(self) -> str:
        area, local = self._by.choice(AREAS), self._by.choice("2345678") + self._digits(7)
        extension = self._digits(3)
        return self._one(
            *(f"{area}-{local}",) * 4,
            f"{area}{local}",
            f"（{area}）{local}",
            f"{area} {local}",
            f"{area}-{local}-{extension}",
            f"{area}-{local}转{extension}",
        )

    def resident_id(self) -> str:
        born = date(1940, 1, 1) + timedelta(days=self._by.randrange(25_000))
        body = self._by.choice(REGIONS) + born.strftime("%Y%m%d") + self._digits(3)
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        check = "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]
        return self._one(*(body + check,) * 4, (body + check).lower())

    def bank_card(self) -> str:
        body = "62" + self._digits(self._by.choice((13, 16)))
        total = 0
        for at, digit in enumerate(reversed(body)):
            total += sum(divmod(2 * int(digit), 10)) if at % 2 == 0 else int(digit)
        number = body + str(-total % 10)
        spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        return self._one(*(number,) * 3, spaced)

    def plate(self) -> str:
        start = self._by.choice(PROVINCES) + self._by.choice(PLATE_LETTERS[:12])
        old = "".join(self._by.sample("0123456789", 4)) + self._by.choice(
            "0123456789" + PLATE_LETTERS
        )
        energy = (
            self._by.choice("DF") + self._by.choice(PLATE_LETTERS + "0123456789") + self._digits(4)
        )
        large = self._digits(5) + self._by.choice("DF")
        serial = self._one(old, old, energy, large)
        return self._one(*(start + serial,) * 3, f"{start}·{serial}", (start + serial).lower())

    def email(self) -> str:
        name = "".join(self._by.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6))
        return self._one(f"{name}{self._digits(3)}@example.com", f"{name}.{name}@mail.example.cn")

    def qq(self) -> str:
        number = self._by.choice("123456789") + self._digits(self._by.randrange(5, 9))
        return self._one(f"QQ：{number}", f"QQ{number}", f"qq号{number}", f"QQ号码是{number}")

    def wechat(self) -> str:
        name = "".join(self._by.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(5))
        account = self._one(f"{name}{self._digits(4)}", f"{name}_{self._digits(2)}")
        return self._one(
            f"微信：{account}", f"微信号{account}", f"加微信{account}", f"VX：{account}"
        )

    def door(self) -> str:
        building, entrance = self._by.randrange(1, 60), self._by.randrange(1, 6)
        room = self._by.randrange(1, 33) * 100 + self._by.randrange(1, 9)
        street = self._by.randrange(1, 900)
        return self._one(
            f"甲小区{building}栋{entrance}单元{room}室",
            f"甲苑{building}号楼{entrance}单元{room}",
            f"甲花园{building}幢{room}室",
            f"甲路{street}号",
            f"甲巷{street}号{building}栋",
            f"甲家园{building}-{entrance}-{room}",
        )

    def order(self) -> str:
        """An order's number as hotlines give them."""
        return f"FZ{self._by.randrange(15, 22)}{self._by.randrange(1, 13):02}{self._digits(8)[:8]}"[
            :13
        ]

    def look_alike(self) -> str:
        """A number that leads to nobody."""
        day = date(2015, 1, 1) + timedelta(days=self._by.randrange(2_500))
        return self._one(
            self.order(),
            day.strftime("%Y-%m-%d"),
            day.strftime("%Y%m%d%H%M%S")[:8] + self._digits(6),
            f"{self._by.randrange(10, 9_000)}万元",
            f"{self._by.randrange(100, 90_000)}.{self._digits(2)}元",
            f"第{self._by.randrange(1, 1_200)}条",
            f"GB {self._digits(5)}-{day.year}",
            f"[{day.year}]{self._by.randrange(1, 300)}号文",
            self._by.choice(("12345", "12319", "96345", "400-800-1234")),
            f"{self._by.randrange(3, 30)}路公交",
            f"合同编号{day.year}{self._digits(4)}",
            f"{self._by.randrange(2, 40)}平方米",
        )


GENERATORS: Mapping[Kind, Callable[[Made], str]] = {
    "mobile": Made.mobile,
    "landline": Made.landline,
    "resident_id": Made.resident_id,
    "bank_card": Made.bank_card,
    "plate": Made.plate,
    "email": Made.email,
    "qq": Made.qq,
    "wechat": Made.wechat,
    "door": Made.door,
}
"""Every kind that has a form. What stands before the number in `door`, `qq` and `wechat` belongs to the
form: without it nobody could tell."""
