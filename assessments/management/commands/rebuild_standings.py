"""Reckon anew what the completed reviews of a campaign come to (see `assessments.standings`)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from assessments import standings
from assessments.models import Campaign


class Command(BaseCommand):
    help = "Reckon the standings of a campaign anew, e.g. after a restore; it can run at any time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("year", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(year=options["year"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign of {options['year']}.")
        self.stdout.write(f"{standings.rebuild(campaign)} standings reckoned")
