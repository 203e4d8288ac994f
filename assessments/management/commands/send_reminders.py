from typing import Any

from django.core.management.base import BaseCommand

from assessments import deadlines, reminding


class Command(BaseCommand):
    help = (
        "Remind whoever is behind, 30, 7 and 1 days before a deadline. Once a day; may run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reminding.send(deadlines.now())} people reminded")
