"""Reading pages in tests: by element, never by substring."""

from __future__ import annotations

from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode


class Page:
    """A parsed answer."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status_code
        self.tree = LexborHTMLParser(answer.content.decode())

    def all(self, selector: str) -> list[LexborNode]:
        return self.tree.css(selector)

    def one(self, selector: str) -> LexborNode:
        found = self.all(selector)
        assert len(found) == 1, f"{selector}: {len(found)} instead of 1"
        return found[0]

    def has(self, selector: str) -> bool:
        return bool(self.all(selector))

    def text(self, selector: str) -> str:
        return words(self.one(selector))

    def texts(self, selector: str) -> list[str]:
        return [words(node) for node in self.all(selector)]

    def row(self, selector: str) -> list[str]:
        """The cells of the one table row that the selector finds."""
        return [words(cell) for cell in self.one(selector).css("th, td")]

    def facts(self, selector: str) -> dict[str, str]:
        """The terms of a list of facts with what they say."""
        terms = self.texts(f"{selector} dt")
        return dict(zip(terms, self.texts(f"{selector} dd"), strict=True))


def words(node: LexborNode) -> str:
    return " ".join(node.text().split())
