"""Every word of a template can be translated: literal text stands inside translate or blocktranslate only."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
WORDS = re.compile(r"[^\W\d_]{2,}")
SHOWN_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description", "data-copied", "data-failed"}
HOLE = "\x01"  # stands for a tag or variable
SAME_IN_EVERY_LANGUAGE = {"doctype", "html"}


class Words(HTMLParser):
    """Collects the words that a reader would see."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        for name, value in attrs:
            if name in SHOWN_ATTRIBUTES:
                self.found += WORDS.findall(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found += WORDS.findall(data)


def literal_text(source: str) -> str:
    """The template's own HTML, with holes for tags and without what blocktranslate and comment enclose."""
    parts, enclosed = [], 0
    for token in Lexer(source).tokenize():
        word = token.contents.split()[0] if token.token_type == TokenType.BLOCK and token.contents else ""
        if word in ("blocktranslate", "blocktrans", "comment"):
            enclosed += 1
        elif word in ("endblocktranslate", "endblocktrans", "endcomment"):
            enclosed -= 1
        elif token.token_type == TokenType.TEXT and not enclosed:
            parts.append(token.contents)
        else:
            parts.append(HOLE)
    return "".join(parts)


@pytest.mark.parametrize("path", TEMPLATES, ids=[str(path.relative_to(ROOT / "templates")) for path in TEMPLATES])
def test_every_word_can_be_translated(path: Path) -> None:
    parser = Words()
    parser.feed(literal_text(path.read_text()))
    assert [word for word in parser.found if word not in SAME_IN_EVERY_LANGUAGE] == []


def test_the_search_finds_a_literal_word() -> None:
    parser = Words()
    parser.feed(literal_text('{% if a %}<p title="{% translate "x" %}">Hello {{ name }}</p>{% endif %}'))
    assert parser.found == ["Hello"]
