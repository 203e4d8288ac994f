from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from assessments import files, scanning
from assessments.models import StoredFile


class Command(BaseCommand):
    help = "Scan the files that wait in quarantine (with --all: every file, for new signatures)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="scan every file again")

    def handle(self, *args: Any, **options: Any) -> None:
        if not scanning.is_on():
            raise CommandError("CLAMD_ADDRESS is not set")
        waiting = StoredFile.objects.order_by("pk")
        if not options["all"]:
            waiting = waiting.filter(scanned_at=None)
        clean = 0
        for file in waiting.iterator():
            try:
                infection = files.scan(file)
            except scanning.ScannerUnavailable as error:
                raise CommandError(f"clamd: {error}") from error
            except FileNotFoundError:
                self.stderr.write(f"missing: {file.file.name}")
                continue
            if infection:
                self.stdout.write(f"{infection}: {file.sha256}")
            else:
                clean += 1
        self.stdout.write(f"{clean} clean")
