from typing import Any

from django.core.management.base import BaseCommand

from assessments import exporting


class Command(BaseCommand):
    help = (
        "Start exports again that a killed worker left behind, and delete those that have expired. "
        "Run it every quarter of an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{exporting.take_up()} exports taken up again")
        self.stdout.write(f"{exporting.tidy()} expired exports deleted")
