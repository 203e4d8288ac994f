"""What is stored and in no book: files that an interruption left behind (`manage.py tidy_evidence`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from assessments import files, incoming
from assessments.models import Export, PartialUpload, StoredFile

#: Younger ones may belong to a request that is still running.
GRACE = timedelta(hours=24)


def stray_paths() -> Iterator[str]:
    """Paths in the storage that no row names and that are older than a day."""
    known = set(StoredFile.objects.values_list("file", flat=True))
    known |= set(StoredFile.objects.exclude(thumbnail=None).values_list("thumbnail", flat=True))
    for pieces in PartialUpload.objects.values_list("pieces", flat=True):
        known |= set(pieces)
    known |= set(Export.objects.exclude(file="").values_list("file", flat=True))
    before = timezone.now() - GRACE
    for folder in (files.FOLDER, files.THUMBNAIL_FOLDER, files.EXPORT_FOLDER, incoming.FOLDER):
        for path in _walk(folder):
            if path not in known and default_storage.get_modified_time(path) < before:
                yield path


def _walk(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in sorted(names) if name)
    for inner in sorted(folders):
        yield from _walk(f"{folder}/{inner}")


def unused_files() -> list[StoredFile]:
    """Bytes in the books that nothing uses: an interruption between storing and entering them."""
    unused = StoredFile.objects.filter(
        evidence=None,
        photos=None,
        notice_files=None,
        appeals=None,
        plan_versions=None,
        case_photos=None,
        supervision_files=None,
    )
    return list(unused.filter(stored_at__lt=timezone.now() - GRACE))


def lost_files() -> Iterator[StoredFile]:
    """Rows whose bytes are gone from the storage: to be restored from a backup."""
    for file in StoredFile.objects.order_by("pk").iterator():
        if not default_storage.exists(file.file.name):
            yield file
