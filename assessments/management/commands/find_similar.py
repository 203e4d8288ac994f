from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.db.models import Q

from assessments import deadlines, files, similarity
from assessments.choices import State
from assessments.models import SelfAssessment, StoredFile

#: Two unions that hand in at the same moment do not see each other.
RECENT = timedelta(days=2)


class Command(BaseCommand):
    help = (
        "Look at pictures that nobody has looked at, and for what unions have handed in alike where "
        "that has not been done or was done of late (with --all: everywhere). Run it daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="look through all submissions")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{self._look()} files looked at")
        handed_in = SelfAssessment.objects.exclude(state=State.DRAFT)
        if not options["all"]:
            handed_in = handed_in.filter(
                Q(pk__in=similarity.outdated().values("pk"))
                | Q(submitted_at__gte=deadlines.now() - RECENT)
            )
        keys = list(handed_in.order_by("pk").values_list("pk", flat=True))
        for key in keys:
            try:
                similarity.refresh(key, thoroughly=True)
            except DatabaseError as error:  # the other side was handed in anew at that moment
                self.stderr.write(f"{key}: {error}")
        self.stdout.write(f"{len(keys)} submissions compared")

    def _look(self) -> int:
        count = 0
        for file in StoredFile.objects.filter(look=None).order_by("pk").iterator():
            if file.is_quarantined:
                continue
            try:
                files.look_at(file)
            except FileNotFoundError:
                self.stderr.write(f"missing: {file.file.name}")
            else:
                count += 1
        return count
