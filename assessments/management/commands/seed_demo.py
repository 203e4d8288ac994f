from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from assessments import demo, demo_city


class Command(BaseCommand):
    help = "Add the demonstration campaign, unions and accounts. May run again. Not for production."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--city", action="store_true", help="two thousand unions and two earlier years as well"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        added = demo.seed()
        if options["city"]:
            added = demo_city.seed() or added
        self.stdout.write("示例数据已装入。" if added else "示例数据已存在，未作改动。")
        self.stdout.write(f"演示账号（密码均为 {demo.PASSWORD}）：")
        for username, shows in demo.accounts():
            self.stdout.write(f"  {username:<16}{shows}")
