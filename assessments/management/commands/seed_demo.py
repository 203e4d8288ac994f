from typing import Any

from django.core.management.base import BaseCommand

from assessments import demo


class Command(BaseCommand):
    help = "Add the demonstration campaign, unions and accounts. May run again. Not for production."

    def handle(self, *args: Any, **options: Any) -> None:
        added = demo.seed()
        self.stdout.write("示例数据已装入。" if added else "示例数据已存在，未作改动。")
        self.stdout.write(f"演示账号（密码均为 {demo.PASSWORD}）：")
        for username, shows in demo.accounts():
            self.stdout.write(f"  {username:<16}{shows}")
