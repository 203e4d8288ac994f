"""Reads the words of a template for the catalogue, as a method of Babel's `extract` (babel.cfg)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import django
from babel.messages.extract import extract_python
from django.conf import settings
from django.utils.translation.template import templatize

if not settings.configured:
    settings.configure(USE_I18N=True)
    django.setup()


def extract_template(fileobj: BinaryIO, keywords, comment_tags, options) -> Iterator[tuple]:
    """Django turns a template into calls of gettext with the rest blanked out; in brackets its
    indentation means nothing to Python's tokenizer."""
    source = templatize(fileobj.read().decode())
    return extract_python(io.BytesIO(f"({source})".encode()), keywords, comment_tags, options)
