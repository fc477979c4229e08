"""The article of a web page as lines, without menus, scripts and footers."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.exceptions import ParserRejectedMarkup

from base.errors import InputError

__all__ = ["is_html", "paragraphs"]

_HTML = re.compile(r"<(?:!doctype html|html|head|body|div|p|article|meta)\b", re.IGNORECASE)
_FURNITURE = ("script", "style", "noscript", "nav", "header", "footer", "aside", "form", "iframe",
              "button", "template", "svg")  # fmt: skip
_BLOCKS = ("p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article",
           "table", "ul", "ol", "dd", "dt", "blockquote", "br")  # fmt: skip
_FURNITURE_NAMES = re.compile(
    r"\b(?:nav|navbar|menu|breadcrumbs?|crumbs?|footer|copyright|share|sidebar|related|toolbar)\b"
)
_MAIN_SHARE = 0.95


def is_html(text: str) -> bool:
    """Say whether ``text`` is a web page."""
    return _HTML.search(text[:4096]) is not None


def paragraphs(text: str) -> list[str]:
    """Return the lines of the page's article.

    Menus, footers and link lists go first; the article is then the innermost element that
    still holds nearly all words, so that the line with publisher and date stays.

    Raises:
        InputError: ``policy_file_broken`` when the page cannot be parsed.
    """
    try:
        soup = BeautifulSoup(text, "lxml")
    except (ParserRejectedMarkup, AssertionError, RecursionError) as error:
        raise InputError("policy_file_broken", "网页文件已损坏，无法读取。", repr(error)) from error
    heading = soup.find(["h1", "h2"])
    title = heading.get_text("", strip=True) if heading is not None else ""
    for element in soup.find_all(_FURNITURE):
        element.decompose()
    for element in soup.find_all(["div", "ul", "section", "p"]):
        if not element.decomposed and (_is_named_furniture(element) or _is_menu(element)):
            element.decompose()
    body = _article(soup.body or soup)
    for row in body.find_all("tr"):
        cells = [cell.get_text("", strip=True) for cell in row.find_all(["td", "th"])]
        filled = [cell for cell in cells if cell]
        row.string = (
            "：".join([filled[0], "，".join(filled[1:])]) if len(filled) > 1 else "".join(filled)
        )
    for element in body.find_all(_BLOCKS):
        element.insert_before("\n")
        element.insert_after("\n")
    lines = [" ".join(line.split()) for line in body.get_text("").split("\n")]
    lines = [line for line in lines if line]
    return lines if not title or title in lines else [title, *lines]


def _words(element: Tag) -> int:
    return len(element.get_text("", strip=True))


def _is_named_furniture(element: Tag) -> bool:
    names = element.get_attribute_list("class") + element.get_attribute_list("id")
    return any(_FURNITURE_NAMES.search(str(name).lower()) for name in names if name)


def _is_menu(element: Tag) -> bool:
    """A block whose words are nearly all links, several of them, is a menu or a link list."""
    links = element.find_all("a")
    linked = sum(_words(link) for link in links)
    return len(links) >= 3 and linked > 0.6 * _words(element)


def _article(element: Tag) -> Tag:
    """Go down while one child still holds most of the words."""
    while True:
        children = [child for child in element.children if isinstance(child, Tag)]
        largest = max(children, key=_words, default=None)
        if largest is None or _words(largest) < _MAIN_SHARE * max(1, _words(element)):
            return element
        element = largest
