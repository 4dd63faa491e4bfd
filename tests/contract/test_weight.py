"""What really goes over the wire for a page, cold: everything it names and everything that names."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import httpx2
import pytest

from tests.running import Running


def weigh(browser: httpx2.Client, url: str) -> tuple[int, int]:
    """(bytes sent, files) of a page with its styles, scripts and the modules that these import."""
    todo, seen, sent = [url], set(), 0
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = browser.get(address)
        assert answer.status_code == 200, address
        if len(answer.content) > 1024:
            assert answer.headers["content-encoding"] == "gzip", address
            assert "accept-encoding" in answer.headers["vary"].lower(), address
        sent += answer.num_bytes_downloaded
        named = re.findall(
            r"""(?:src|href)="(/static/[^"]+)"|from\\s*['"]([^'"]+)['"]""", answer.text
        )
        todo += [urljoin(str(answer.url), one or other) for one, other in named]
    return sent, len(seen)


@pytest.mark.parametrize(("page", "most_kb"), [("public", 40), ("panel", 45)])
def test_a_page_with_all_that_it_needs_is_light(
    shared_demo: Running, page: str, most_kb: int
) -> None:
    link = shared_demo.line["links"][page]
    with httpx2.Client(trust_env=False, follow_redirects=True) as browser:
        sent, files = weigh(browser, link if isinstance(link, str) else link[0])
    print(f"{page}: {sent} bytes in {files} files")
    assert files > 5
    assert sent <= most_kb * 1024


def test_whoever_cannot_unpack_gets_it_plain(shared_demo: Running) -> None:
    with httpx2.Client(trust_env=False, headers={"Accept-Encoding": "identity"}) as browser:
        answer = browser.get(f"{shared_demo.url}/h/{shared_demo.slug}")
        assert "content-encoding" not in answer.headers
        assert "</html>" in answer.text
        state = browser.get(f"{shared_demo.url}/api/v1{shared_demo.here}")
        assert "content-encoding" not in state.headers
