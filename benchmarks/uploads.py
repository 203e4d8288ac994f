"""Evidence upload with its checks, hash, books and record, and a view that only stores the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from assessments import demo
from benchmarks.data import World

Job = Callable[[], None]
_numbers = count()


def store_only(request: HttpRequest) -> HttpResponse:
    """Take the file and store it: nothing is looked at, nothing is written down."""
    upload = request.FILES["file"]
    default_storage.save(f"bare/{next(_numbers)}", upload)
    return HttpResponse()


def _fresh(size: int) -> SimpleUploadedFile:
    """A PDF of about this many bytes that has not been there before."""
    content = demo.small_pdf(str(next(_numbers))) + os.urandom(size) + b"\n%%EOF\n"
    return SimpleUploadedFile("材料.pdf", content)


def _client(world: World) -> Client:
    client = Client()
    client.force_login(world.reporter)
    return client


def evidence(world: World, size: int) -> Job:
    """To an indicator, by the form of its page; no quota stops the measuring."""
    settings.EVIDENCE_TOTAL_MEGABYTES = settings.EVIDENCE_LIBRARY_MEGABYTES = 100_000
    client = _client(world)
    url = reverse("assessments:indicator_evidence", args=[world.assessment.pk, "G3.01"])

    def job() -> None:
        response = client.post(url, {"files": _fresh(size)})
        assert response.status_code == 302, response.status_code

    return job


def bare(world: World, size: int) -> Job:
    client = _client(world)

    def job() -> None:
        assert client.post("/bare/upload/", {"file": _fresh(size)}).status_code == 200

    return job
