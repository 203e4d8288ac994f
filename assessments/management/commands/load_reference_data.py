from typing import Any

from django.core.management.base import BaseCommand

from assessments import rubrics
from organizations import reference


class Command(BaseCommand):
    help = "Load the city's counties and townships and the three rubrics. May run again."

    def handle(self, *args: Any, **options: Any) -> None:
        added = reference.load_divisions()
        loaded = rubrics.load()
        self.stdout.write(f"{added} organizations added, {len(loaded)} rubrics in place")
