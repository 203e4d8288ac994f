"""Reading PDFs back, by poppler's programs."""

import shutil
import subprocess

import pytest

#: Not every office machine has them; CI installs them.
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
)


def poppler(program, *arguments, content=None):
    """What the program says of a file, or of the content given."""
    done = subprocess.run(  # noqa: S603
        [shutil.which(program), *arguments], input=content, capture_output=True, check=True
    )
    return done.stdout.decode()


def text_of(pdf):
    """The words of a PDF, or of a response with one, without the breaks that its lines make."""
    content = pdf if isinstance(pdf, bytes) else b"".join(pdf.streaming_content)
    assert content.startswith(b"%PDF")
    return "".join(poppler("pdftotext", "-", "-", content=content).split())
