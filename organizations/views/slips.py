"""开户通知单: first passwords on paper, one page for each union, to be cut out."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from organizations import first_passwords
from organizations.chinese import in_chinese
from organizations.models import Organization, User

#: So many slips at a time.
PORTION = 200


@dataclass(frozen=True)
class Slip:
    """What one person gets: it is shown this once and stored nowhere."""

    account: User
    roles: list[str]
    password: str
    link: str
    picture: str


def show(request: HttpRequest, accounts: list[User], *, back: str) -> HttpResponse:
    """Issue and show first passwords; each account has its `shown_roles`."""
    with transaction.atomic():
        passwords = first_passwords.issue_all(accounts, by=request.user)
    pages: dict[Organization | None, list[Slip]] = {}
    for account in accounts:
        union = account.shown_roles[0].organization if account.shown_roles else None
        link = first_passwords.link(request, account, passwords[account])
        with in_chinese():
            roles = [
                f"{one.organization} · {one.get_role_display()}" for one in account.shown_roles
            ]
        slip = Slip(
            account,
            roles,
            passwords[account],
            link,
            segno.make(link, error="m").svg_data_uri(scale=3, border=1),
        )
        pages.setdefault(union, []).append(slip)
    response = render(
        request,
        "organizations/accounts/slips.html",
        {"pages": list(pages.items()), "back": back, "count": len(accounts)},
    )
    response["Cache-Control"] = "private, no-store"
    return response
