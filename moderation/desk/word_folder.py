"""The operator's word lists as they lie in a folder: read when they are first asked for, and when they changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from moderation.screening.words import WordLists, flags_of, keys_of, read_word_lists

log = structlog.get_logger()


class WordFolder:
    """`*.txt` of one folder, each a list whose key is the file's name without its ending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}
        self._lists = WordLists({})

    async def flagger(self) -> Callable[[str], tuple[str, ...]]:
        """What tells a text's flags by the lists as they are now, ``LIST:WORD`` each.

        A folder or a file that cannot be read leaves the other lists as they are, and is logged.
        """
        seen = await asyncio.to_thread(self._signature)
        if seen != self._seen:
            self._lists = await asyncio.to_thread(self._read, seen)
            self._seen = seen
            log.info("word_lists_read", lists=sorted(seen), words=len(self._lists))
        lists = self._lists
        return lambda text: keys_of(flags_of(text, lists))

    def _signature(self) -> dict[str, tuple[int, int]]:
        """Name → when it changed, and how large it is."""
        try:
            found = [(path.name, path.stat()) for path in self._folder.glob("*.txt")]
        except OSError:
            return {}
        return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found}

    def _read(self, names: dict[str, tuple[int, int]]) -> WordLists:
        texts = {}
        for name in sorted(names):
            try:
                texts[name.removesuffix(".txt")] = _decoded((self._folder / name).read_bytes())
            except (OSError, UnicodeDecodeError) as error:
                log.warning("word_list_unreadable", list=name, error=type(error).__name__)
        return read_word_lists(texts)


def _decoded(raw: bytes) -> str:
    """UTF-8, else GB18030, which editors on Windows still write."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")
