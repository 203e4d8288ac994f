"""Reading uploads: stop writing a file to disk as soon as it is larger than allowed, or when the
disk is full."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import (
    FileUploadHandler,
    SkipFile,
    TemporaryFileUploadHandler,
)

MEGABYTE = 1024 * 1024


class SizeLimitUploadHandler(FileUploadHandler):
    """Drops a file that exceeds the limit while it arrives, so that it never fills the disk.

    The names of dropped files are left in `request.oversize_files`, by form field, for the
    view to report.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.limit = settings.EVIDENCE_FILE_MEGABYTES * MEGABYTE
        if request is not None:
            request.oversize_files = {}

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > self.limit:
            self.request.oversize_files.setdefault(self.field_name, []).append(self.file_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class CarefulTemporaryFileUploadHandler(TemporaryFileUploadHandler):
    """Drops a file for which the temporary folder has no room; the rest of the form arrives.

    The names of dropped files are left in `request.unstored_files`, by form field.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        if request is not None:
            request.unstored_files = {}

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.request.unstored_files.setdefault(self.field_name, []).append(self.file_name)
            raise SkipFile from error
