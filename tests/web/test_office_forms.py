"""The office's forms that carry files: after a refusal what was typed is still there."""

from __future__ import annotations

from pathlib import Path

from tests.contract.test_people import SHOW, make_county, serving


def test_what_was_typed_at_the_office_is_still_there_after_a_refusal(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as house:
        county = make_county(house, house.set_up(), "北湾", "bw")
        show = SHOW.format(place="北湾", slug=county.announced)
        here, home = f"/office/hearings/{county.announced}/import", str(county.office)
        for form, status, sentence in (
            ({"office": home, "slug": "Bad Slug", "text": show}, 422, "网址简称须为"),
            ({"office": home, "text": show.replace("weight", "wait")}, 422, "须修改"),
            ({"office": home, "text": show, "act": "create"}, 409, "已被使用"),
            (
                {"office": "1", "slug": "elsewhere", "text": show, "act": "create"},
                404,
                "没有这一项",
            ),
            ({"office": home, "text": show + "#" * 1_000_000}, 413, "太大"),
        ):
            answer = county.browser.post("/office/new", data=form, files={"file": ("", b"")})
            assert (answer.status_code, sentence in answer.text) == (status, True), sentence
            assert "北湾的路灯为什么不亮" in answer.text
            assert f'value="{form.get("slug", "")}"' in answer.text
        for source, file in (("MY BOX", b"x"), ("my-box", b""), ("my-box", b"\x00\x01 no table")):
            files = {"file": ("orders.csv", file)}
            answer = county.browser.post(here, data={"source": source}, files=files)
            assert answer.status_code == 422
            assert f'name="source" list="sources" value="{source}"' in answer.text
