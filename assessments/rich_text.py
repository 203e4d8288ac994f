"""Text with simple formatting, as an editor in the browser sends it: what is kept of its HTML."""

from __future__ import annotations

import nh3
from django.utils.html import linebreaks

_TAGS = {
    *("p", "div", "br", "h2", "h3", "blockquote", "pre", "ul", "ol", "li"),
    *("strong", "b", "em", "i", "u", "del", "s", "a"),
}


def sanitised(text: str) -> str:
    """Only paragraphs, lists, emphasis and links to pages and mailboxes stay: no script, no style,
    no picture. Plain text, as it comes from a browser without JavaScript, is put in paragraphs."""
    if not nh3.is_html(text):
        text = linebreaks(text.strip())
    return nh3.clean(
        text,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def from_plain(text: str) -> str:
    """Text in which nothing is markup, whatever it looks like."""
    return sanitised(linebreaks(text.strip(), autoescape=True))


def is_blank(html: str) -> bool:
    """Whether nothing is left to read."""
    return not nh3.clean(html, tags=set()).replace("&nbsp;", " ").strip()
