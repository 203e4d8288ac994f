"""What a list would do to the tree: row by row what is created, changed, moved or left alone, and
every fault with its cell. Reads the tree once, whatever the length of the list."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl.utils import get_column_letter

from organizations.chinese import in_chinese
from organizations.choices import PARENT_TIERS, ImportGroup, Role, Tier
from organizations.importing.columns import (
    BY_FIELD,
    REQUIRED,
    CellFault,
    ListedRow,
    Listing,
    narrow,
    text_of,
)
from organizations.models import Membership, Organization, User
from organizations.models.organization import MORE_MEMBERS_THAN_WORKERS, REGISTER_FIELDS
from organizations.permissions import is_city_admin

#: Columns that open an account, and the role that it gets.
ACCOUNT_ROLES = {"head": Role.HEAD, "reporter": Role.REPORTER}
_OWN_FIELDS = ("name", *REGISTER_FIELDS)


@dataclass(slots=True)
class Planned:
    """One row. `values` are the fields that the list gives, parsed; `union` is the row of the
    database, existing or to be; `accounts` are (role, name) still to be opened."""

    row: int
    values: dict[str, Any]
    union: Organization | None = None
    parent: Organization | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    accounts: list[tuple[Role, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    notices: list[str | Promise] = field(default_factory=list)

    @property
    def group(self) -> ImportGroup:
        if self.faults:
            return ImportGroup.FAULT
        if self.union is None or self.union.pk is None:
            return ImportGroup.CREATE
        if "parent" in self.changes:
            return ImportGroup.MOVE
        return ImportGroup.CHANGE if self.changes or self.accounts else ImportGroup.UNCHANGED


@dataclass(frozen=True)
class Plan:
    """All rows of a list, in its order."""

    rows: list[Planned]
    places: dict[str, int]
    ignored: list[str]

    @property
    def counts(self) -> dict[str, int]:
        groups = Counter(row.group for row in self.rows)
        return {group.value: groups[group] for group in ImportGroup} | {
            "accounts": sum(len(row.accounts) for row in self.rows)
        }

    @property
    @in_chinese()
    def digest(self) -> str:
        """Two plans of one list with the same digest do the same, with the same warnings."""
        content = [
            [
                row.values.get("code"),
                row.group,
                row.parent.code if row.parent is not None else None,
                sorted((key, str(old), str(new)) for key, (old, new) in row.changes.items()),
                row.accounts,
                list(map(str, row.notices)),
            ]
            for row in self.rows
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

    def cell(self, row: Planned, column: str) -> str:
        """The cell as the spreadsheet program names it; the row where the column is not there."""
        if column not in self.places:
            return gettext("第 {row} 行").format(row=row.row)
        return f"{get_column_letter(self.places[column] + 1)}{row.row}"


class _Tree:
    """The tree as it is: the unions that the list names, and all that may be superiors. Of unions
    that the user does not administer, doubles are known, but not by which code."""

    def __init__(self, codes: set[str], user: User) -> None:
        self.by_code: dict[str, Organization] = {}
        self.by_key: dict[int, Organization] = {}
        self.by_name: dict[str, list[Organization]] = defaultdict(list)
        self.by_credit_code: dict[str, str] = {}
        self.siblings: dict[tuple[int | str | None, str], str] = {}
        self.whole = is_city_admin(user)
        self.paths = [m.organization.path for m in user.roles if m.role == Role.ADMIN]
        fields = ("id", "code", "tier", "parent_id", "path", "dissolved_on", *_OWN_FIELDS)
        for values in Organization.objects.values_list(*fields).iterator(chunk_size=2000):
            _, code, tier, parent_id, path, dissolved_on, name, *_, credit_code = values
            is_superior = tier != Tier.GRASSROOTS and dissolved_on is None
            if code in codes or is_superior:
                union = Organization(**dict(zip(fields, values, strict=True)))
                self.by_code[code] = self.by_key[union.pk] = union
                if is_superior:
                    self.by_name[narrow(name)].append(union)
            if dissolved_on is None:
                self.siblings[parent_id, narrow(name)] = code
                if credit_code:
                    self.by_credit_code[credit_code] = code if self._holds(path) else ""

    def _holds(self, path: str | None) -> bool:
        return self.whole or any((path or "").startswith(own) for own in self.paths)

    def is_administered(self, union: Organization) -> bool:
        return self._holds(union.path)

    def is_reorganizable(self, union: Organization) -> bool:
        return self.whole or (self.is_administered(union) and union.path not in self.paths)


def plan(listing: Listing, user: User) -> Plan:
    """What the list would do when this user confirms it. Nothing is written."""
    rows = [_parsed(row) for row in listing.rows]
    codes = Counter(row.values["code"] for row in rows if "code" in row.values)
    superiors = {narrow(row.values["parent"]) for row in rows if "parent" in row.values}
    tree = _Tree(codes.keys() | superiors, user)
    first: dict[str, Planned] = {}
    for row in rows:
        code = row.values.get("code")
        if code is None:
            continue
        if code in first:
            row.faults.append(
                ("code", gettext("与第 {row} 行的代码重复。").format(row=first[code].row))
            )
        else:
            first[code] = row
            _find_union(row, tree)
    named: dict[str, list[Planned]] = defaultdict(list)
    for row in first.values():
        if row.values.get("name") and row.values.get("tier") != Tier.GRASSROOTS:
            named[narrow(row.values["name"])].append(row)
    _find_cycles(rows, {row.row: _find_parent(row, first, named, tree) for row in rows})
    _find_changes(rows, tree)
    _find_accounts(rows)
    return Plan(rows, listing.places, listing.ignored)


def _parsed(listed: ListedRow) -> Planned:
    row = Planned(listed.number, {})
    for name, value in listed.values.items():
        try:
            if value != "" and (text := text_of(value)):
                row.values[name] = BY_FIELD[name].parse(text)
        except CellFault as fault:
            row.faults.append((name, str(fault)))
    tier = row.values.get("tier")
    wrong = [name for name, _ in row.faults]
    for name in REQUIRED:
        is_root = name == "parent" and tier == Tier.CITY
        if name not in row.values and name not in wrong and not is_root:
            row.faults.append((name, gettext("不能为空。")))
    if tier is not None and tier != Tier.GRASSROOTS:
        for name in REGISTER_FIELDS:
            if name in row.values:
                row.faults.append((name, gettext("只有基层工会填写这一列。")))
    return row


def _find_union(row: Planned, tree: _Tree) -> None:
    """The union of this code, or a new one."""
    values = row.values
    union = tree.by_code.get(values["code"])
    if union is None:
        if values.get("tier") == Tier.CITY:
            row.faults.append(("tier", gettext("市总工会不能通过导入新增。")))
        row.union = Organization(
            code=values["code"], name=values.get("name", ""), tier=values.get("tier", "")
        )
        return
    if not tree.is_administered(union):
        row.faults.append(("code", gettext("这个代码已被您管理范围以外的工会使用。")))
        return
    row.union = union
    if not union.is_active:
        row.faults.append(("code", gettext("这个工会已经撤销。如需继续使用，请先在系统中恢复。")))
    if values.get("tier", union.tier) != union.tier:
        row.faults.append(
            (
                "tier",
                gettext("系统中这个工会的层级是“{tier}”，不能通过导入更改。").format(
                    tier=union.get_tier_display()
                ),
            )
        )


def _find_parent(
    row: Planned, first: dict[str, Planned], named: dict[str, list[Planned]], tree: _Tree
) -> Planned | None:
    """The superior, by code or by name, in the list or in the tree; the row of the list if it is
    there."""
    wanted = row.values.get("parent")
    if wanted is None or row.union is None:
        return None
    if row.values.get("tier") == Tier.CITY:
        row.faults.append(("parent", gettext("市总工会没有上级。")))
        return None
    current = tree.by_key.get(row.union.parent_id)
    if current is not None and wanted in (current.code, current.name):
        outside, inside = current, first.get(current.code)
    else:
        inside, outside = first.get(narrow(wanted)), tree.by_code.get(narrow(wanted))
        if inside is None and (outside is None or not tree.is_administered(outside)):
            candidates = _named(narrow(wanted), named, tree)
            if not candidates:
                row.faults.append(
                    ("parent", gettext("找不到上级工会“{wanted}”。").format(wanted=wanted[:40]))
                )
                return None
            if len(candidates) > 1:
                codes = gettext("、").join(union.code for union, _ in candidates[:5])
                reason = gettext("有 {count} 个工会叫这个名称，请改填代码：{codes}。").format(
                    count=len(candidates), codes=codes
                )
                row.faults.append(("parent", reason))
                return None
            outside, inside = candidates[0]
    superior = inside.union if inside is not None else outside
    if superior is None:
        row.faults.append(
            ("parent", gettext("上级工会在第 {row} 行，那一行有错误。").format(row=inside.row))
        )
        return inside
    if not superior.is_active:
        row.faults.append(("parent", gettext("上级工会已经撤销。")))
    own_tier = row.values.get("tier")
    if inside is row:
        row.faults.append(("parent", gettext("上级不能是自己。")))
    elif own_tier in PARENT_TIERS and superior.tier not in PARENT_TIERS[own_tier]:
        allowed = gettext("、").join(str(tier.label) for tier in PARENT_TIERS[own_tier])
        row.faults.append(
            (
                "parent",
                gettext("“{superior}”是{its_tier}；{own_tier}的上级只能是：{allowed}。").format(
                    superior=superior.name[:40],
                    its_tier=superior.get_tier_display() or gettext("层级不明"),
                    own_tier=own_tier.label,
                    allowed=allowed,
                ),
            )
        )
    row.parent = superior
    return inside


def _named(
    name: str, named: dict[str, list[Planned]], tree: _Tree
) -> list[tuple[Organization, Planned | None]]:
    """The unions of this name that may be superiors: a row of the list stands for its union."""
    found: dict[str, tuple[Organization, Planned | None]] = {
        union.code: (union, None)
        for union in tree.by_name.get(name, ())
        if tree.is_administered(union)
    }
    for row in named.get(name, ()):
        if row.union is not None:
            found[row.union.code] = (row.union, row)
    return list(found.values())


def _find_cycles(rows: list[Planned], superiors: dict[int, Planned | None]) -> None:
    done: set[int] = set()
    for start in rows:
        way: dict[int, Planned] = {}
        here: Planned | None = start
        while here is not None and here.row not in done and here.row not in way:
            way[here.row] = here
            here = superiors.get(here.row)
        if here is not None and here.row in way and superiors[here.row] is not here:
            circle = list(way.values())[list(way).index(here.row) :]
            shown = " → ".join(str(row.values.get("code")) for row in [*circle, here][:6])
            for row in circle:
                row.faults.append(
                    ("parent", gettext("上级关系绕成了一圈：{circle}。").format(circle=shown))
                )
        done.update(way)


def _find_changes(rows: list[Planned], tree: _Tree) -> None:
    for row in rows:
        union = row.union
        if union is None:
            continue
        _check_heads(row, union)
        if union.pk is None:
            union.parent = row.parent
            for name in REGISTER_FIELDS:
                if name in row.values:
                    setattr(union, name, row.values[name])
        else:
            for name in _OWN_FIELDS:
                old = getattr(union, name)
                if name in row.values and row.values[name] != old:
                    row.changes[name] = (old, row.values[name])
            if row.parent is not None and row.parent.pk != union.parent_id:
                row.changes["parent"] = (union.parent_id, row.parent.code)
            if row.changes and not tree.is_reorganizable(union):
                row.faults.append(
                    ("code", gettext("您不能修改这个工会本身的登记，请联系市总工会。"))
                )
        _notice_doubles(row, union, tree)


def _check_heads(row: Planned, union: Organization) -> None:
    workers = row.values.get("workers", union.workers)
    members = row.values.get("members", union.members)
    if None not in (workers, members) and members > workers:
        numbers = gettext("（{members} ＞ {workers}）").format(members=members, workers=workers)
        row.faults.append(("members", f"{MORE_MEMBERS_THAN_WORKERS}{numbers}"))


def _notice_doubles(row: Planned, union: Organization, tree: _Tree) -> None:
    """What may be one union under two codes is pointed out, not refused."""
    code, name = union.code, row.values.get("name")
    if row.parent is not None and name:
        place = (row.parent.pk or row.parent.code, narrow(name))
        twin = tree.siblings.setdefault(place, code)
        if twin != code:
            row.notices.append(
                format_lazy(_("同一上级下已有同名工会，代码 {twin}，请核对是否重复。"), twin=twin)
            )
    if credit := row.values.get("credit_code"):
        twin = tree.by_credit_code.setdefault(credit, code)
        if twin != code:
            row.notices.append(
                format_lazy(_("信用代码与工会 {twin} 相同，请核对是否重复。"), twin=twin)
                if twin
                else _("信用代码与其他县（市、区）的一个工会相同，请核对是否重复。")
            )


def _find_accounts(rows: list[Planned]) -> None:
    """Accounts that the list asks for and the union has not."""
    wanted = {
        row.union.code: row
        for row in rows
        if row.union is not None and any(column in row.values for column in ACCOUNT_ROLES)
    }
    if not wanted:
        return
    there: set[tuple[str, str, str]] = set()
    if any(row.union.pk for row in wanted.values()):
        members = Membership.objects.filter(role__in=ACCOUNT_ROLES.values())
        there = {
            holder
            for holder in members.values_list(
                "organization__code", "role", "user__full_name"
            ).iterator(chunk_size=2000)
            if holder[0] in wanted
        }
    for code, row in wanted.items():
        for column, role in ACCOUNT_ROLES.items():
            name = row.values.get(column)
            if name and (code, role, name) not in there:
                row.accounts.append((role, name))


def label(name: str) -> str:
    """The heading of a column by its field."""
    return BY_FIELD[name].title
