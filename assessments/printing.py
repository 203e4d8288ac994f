"""The one way to a PDF: a template, a style sheet beside it, and WeasyPrint.

The document loads nothing: not from the network, not from this machine's files. Only pictures
that stand in it as data are drawn.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from PIL import ImageFile


class PrintingUnavailable(Exception):
    """The libraries that WeasyPrint draws with (Pango) are not there; the message says so
    to whoever asked for a PDF."""


def pdf(template: str, style: str, context: dict[str, Any]) -> bytes:
    """The template as a PDF, styled by the style sheet `style` (a template, too). Papers are in
    Chinese, whoever prints them.

    Raises PrintingUnavailable.
    """
    try:
        # Slow to import, and only here: pages without paper do not wait for it.
        from weasyprint import CSS, HTML  # noqa: PLC0415
        from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except OSError as error:
        raise PrintingUnavailable(
            _("服务器缺少生成 PDF 所需的组件（Pango），请联系管理员；可以先下载 Word。")
        ) from error

    # WeasyPrint switches it on for the whole process, and thumbnails would be made of half a picture.
    ImageFile.LOAD_TRUNCATED_IMAGES = False

    class DataOnly(URLFetcher):
        def fetch(self, url: str, *args: Any, **kwargs: Any) -> Any:
            if not url.startswith("data:"):
                raise ValueError("a printed document loads nothing")
            return super().fetch(url, *args, **kwargs)

    fetcher = DataOnly()
    with translation.override(settings.LANGUAGE_CODE):
        html = HTML(string=render_to_string(template, context), url_fetcher=fetcher)
        sheet = CSS(string=render_to_string(style, context), url_fetcher=fetcher)
    return html.write_pdf(stylesheets=[sheet])
