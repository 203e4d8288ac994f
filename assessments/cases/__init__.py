"""先进经验: handed in by a union or nominated by a reviewer, forwarded by its superior, edited and
published by the city. Nothing is public that the union has not handed in itself."""

from assessments.cases.reading import visible_to, waiting_for
from assessments.cases.table import TABLE, available, may_ever, nominate, perform
from assessments.cases.writing import (
    EDITABLE,
    MAX_PHOTOS,
    Content,
    Stale,
    add_photo,
    arrange_photos,
    edit,
    remove_photos,
    save,
)
from assessments.models.case import WRITABLE

__all__ = [
    "EDITABLE",
    "MAX_PHOTOS",
    "TABLE",
    "WRITABLE",
    "Content",
    "Stale",
    "add_photo",
    "arrange_photos",
    "available",
    "edit",
    "may_ever",
    "nominate",
    "perform",
    "remove_photos",
    "save",
    "visible_to",
    "waiting_for",
]
