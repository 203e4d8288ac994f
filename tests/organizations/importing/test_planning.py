"""What a list would do, and every fault with its cell and reason: seen on the preview."""

import time

import pytest
from django.urls import reverse

from organizations.choices import Role, Tier
from organizations.models import Organization
from tests.factories import make_organization, make_user
from tests.organizations.importing.files import (
    CREDIT_CODE,
    OTHER_CREDIT_CODE,
    WRONG_CREDIT_CODE,
    counts,
    faults,
    imported,
    preview,
    shown,
    text,
    union,
    upload,
    workbook,
)

pytestmark = pytest.mark.django_db


def entry(organization, **fields):
    """The row of a union as it is, in the list's own words."""
    row = union(
        organization.code,
        organization.name,
        organization.parent.code if organization.parent else "",
        str(organization.get_tier_display()),
    )
    return row | fields


def fresh(organization):
    return Organization.objects.get(pk=organization.pk)


# --- Which group a row belongs to ----------------------------------------------------------------


def test_every_row_stands_in_its_group(admin, city):
    batch = preview(
        admin,
        [
            union("N-1", "示例新建工会委员会", city.township.code),
            entry(city.own, 名称="示例机械制造股份有限公司工会委员会"),
            entry(city.foreign, 上级工会=city.township.code),
            entry(city.sibling),
        ],
    )
    assert counts(batch) == {"CREATE": 1, "CHANGE": 1, "MOVE": 1, "UNCHANGED": 1}
    assert batch.state == "CHECKED"
    assert [row["code"] for row in shown(admin, batch, "CREATE")] == ["N-1"]
    assert shown(admin, batch, "CHANGE")[0]["changes"] == [
        ["名称", city.own.name, "示例机械制造股份有限公司工会委员会"]
    ]
    assert shown(admin, batch, "MOVE")[0]["changes"] == [
        ["上级工会", city.other_township.name, city.township.name]
    ]
    assert [row["row"] for row in shown(admin, batch, "UNCHANGED")] == [5]


def test_a_preview_changes_nothing(admin, city):
    preview(admin, [entry(city.own, 名称="改了", 上级工会=city.county.code)])
    assert (fresh(city.own).name, fresh(city.own).parent) == (city.own.name, city.township)


def test_every_column_of_the_register_arrives(admin, city):
    imported(
        admin,
        [
            union("N-1", "示例纺织有限公司工会委员会", city.township.name)
            | {
                "单位性质": "企业",
                "所有制": "外商及港澳台",
                "职工人数": "1,200",
                "会员人数": "1188人",
                "工会法人资格": "是",
                "统一社会信用代码": CREDIT_CODE.lower(),
            }
        ],
    )
    made = Organization.objects.get(code="N-1")
    assert (made.kind, made.ownership, made.workers, made.members) == (
        "ENTERPRISE",
        "FOREIGN",
        1200,
        1188,
    )
    assert (made.has_legal_person, made.credit_code) == (True, CREDIT_CODE)
    assert (made.parent, made.tier, made.initials) == (
        city.township,
        Tier.GRASSROOTS,
        "slfzyxgsghwyh",
    )
    assert made in Organization.objects.subtree_of(city.county)


@pytest.mark.parametrize(
    ("column", "typed", "field", "stored"),
    [
        ("层级", "基层", "tier", "GRASSROOTS"),
        ("单位性质", "机关单位", "kind", "GOVERNMENT"),
        ("单位性质", "社会组织", "kind", "OTHER"),
        ("所有制", "私营企业", "ownership", "PRIVATE"),
        ("所有制", "全民", "ownership", "STATE"),
        ("工会法人资格", "无", "has_legal_person", False),
        ("工会法人资格", "Ｙ", "has_legal_person", True),
        ("职工人数", "０", "workers", 0),
        ("职工人数", "10000000", "workers", 10_000_000),
    ],
)
def test_what_people_write_for_a_value_is_understood(admin, city, column, typed, field, stored):
    imported(admin, [union("N-1", "示例", city.township.code) | {column: typed}])
    assert getattr(Organization.objects.get(code="N-1"), field) == stored


@pytest.mark.parametrize(
    "titles",
    [
        ("工会代码", "工会名称", "工会层级", "上级工会名称"),
        ("编 号*", "单位名称（全称）", "级别：", "所属上级"),
        ("上级", "层级", "名称", "代码"),
    ],
)
def test_headings_of_ones_own_are_understood(admin, city, titles):
    words = {"上": city.township.code, "所": city.township.code}
    row = {
        title: words.get(title[0])
        or ("基层工会" if "级" in title else "N-1" if title[-1] in "码号*" else "示例工会")
        for title in titles
    }
    assert counts(preview(admin, workbook([row], titles))) == {"CREATE": 1}


def test_blank_cells_leave_alone_what_is_there(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(
        kind="ENTERPRISE", workers=30, members=20, has_legal_person=False, credit_code=CREDIT_CODE
    )
    batch = imported(admin, [entry(city.own, 名称="改名工会")])
    assert counts(batch) == {"CHANGE": 1}
    own = fresh(city.own)
    assert (own.name, own.kind, own.workers, own.members) == ("改名工会", "ENTERPRISE", 30, 20)
    assert (own.has_legal_person, own.credit_code) == (False, CREDIT_CODE)


def test_a_list_without_the_other_columns_leaves_them_alone(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(workers=30)
    content = workbook([entry(city.own, 名称="改名工会")], ("代码", "名称", "层级", "上级工会"))
    imported(admin, content, "名册.xlsx")
    assert (fresh(city.own).name, fresh(city.own).workers) == ("改名工会", 30)


@pytest.mark.parametrize("by", ["代码", "名称"])
def test_superiors_may_stand_in_the_list_itself_below_or_above(admin, city, by):
    rows = [
        union("B-1", "示例甲工会", "X-1" if by == "代码" else "新城镇工会委员会"),
        union("X-1", "新城镇工会委员会", "X-0" if by == "代码" else "新城县总工会", "乡镇工会"),
        union("X-0", "新城县总工会", city.city.code if by == "代码" else city.city.name, "县"),
        union("B-2", "示例乙工会", "X-0" if by == "代码" else "新城县总工会"),
    ]
    assert counts(imported(admin, rows)) == {"CREATE": 4}
    made = {row.code: row for row in Organization.objects.filter(code__in=["B-1", "B-2", "X-1"])}
    county = Organization.objects.get(code="X-0")
    assert (made["B-1"].parent, made["X-1"].parent) == (made["X-1"], county)
    assert set(Organization.objects.subtree_of(county)) == {county, *made.values()}


def test_a_union_moves_below_one_that_the_same_list_enters(admin, city):
    rows = [
        entry(city.own, 上级工会="新设街道工会委员会"),
        union("X-1", "新设街道工会委员会", city.other_county.code, "街道工会"),
    ]
    assert counts(imported(admin, rows)) == {"CREATE": 1, "MOVE": 1}
    assert fresh(city.own).parent.code == "X-1"
    assert city.own in Organization.objects.subtree_of(city.other_county)


def test_the_present_superior_is_meant_where_others_have_its_name(admin, city):
    make_organization(Tier.TOWNSHIP, city.other_county, city.township.name)
    batch = preview(admin, [entry(city.own, 上级工会=city.township.name)])
    assert counts(batch) == {"UNCHANGED": 1}


def test_importing_again_changes_nothing(admin, city):
    rows = [
        union("N-1", "示例新建工会", city.township.code) | {"职工人数": 12, "负责人姓名": "王新"},
        entry(city.own, 上级工会=city.other_township.code, 职工人数=77),
    ]
    imported(admin, rows)
    assert counts(preview(admin, rows)) == {"UNCHANGED": 2}


# --- Faults --------------------------------------------------------------------------------------

_HEADS = "应为人数：不带小数的数字。"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"上级工会": "没有这个工会"}, ("D2", "上级工会", "找不到上级工会“没有这个工会”。")),
        ({"代码": ""}, ("A2", "代码", "不能为空。")),
        ({"名称": " 　"}, ("B2", "名称", "不能为空。")),
        ({"层级": ""}, ("C2", "层级", "不能为空。")),
        ({"上级工会": ""}, ("D2", "上级工会", "不能为空。")),
        ({"代码": "宝丰1"}, ("A2", "代码", "代码只能用字母、数字、点、横线和下划线，最多 30 位。")),
        (
            {"代码": "A" * 31},
            ("A2", "代码", "代码只能用字母、数字、点、横线和下划线，最多 30 位。"),
        ),
        ({"名称": "长" * 121}, ("B2", "名称", "太长：121 字，最多 120 字。")),
        ({"负责人姓名": "长" * 41}, ("K2", "负责人姓名", "太长：41 字，最多 40 字。")),
        ({"职工人数": "-1"}, ("G2", "职工人数", _HEADS)),
        ({"职工人数": "12.5"}, ("G2", "职工人数", _HEADS)),
        ({"职工人数": "10000001"}, ("G2", "职工人数", _HEADS)),
        ({"职工人数": "9" * 400}, ("G2", "职工人数", _HEADS)),
        ({"职工人数": "若干"}, ("G2", "职工人数", _HEADS)),
        ({"会员人数": "1e3"}, ("H2", "会员人数", _HEADS)),
        (
            {"职工人数": "10", "会员人数": "11"},
            ("H2", "会员人数", "会员人数不能多于职工人数。（11 ＞ 10）"),
        ),
        (
            {"单位性质": "合作社"},
            (
                "E2",
                "单位性质",
                "“合作社”不在可选范围内：企业、事业、机关、其他。",
            ),
        ),
        (
            {"工会法人资格": "也许"},
            ("I2", "工会法人资格", "“也许”不在可选范围内：是、否。"),
        ),
        (
            {"统一社会信用代码": WRONG_CREDIT_CODE},
            ("J2", "统一社会信用代码", "统一社会信用代码不正确：应为 18 位，且与末位校验码相符。"),
        ),
        (
            {"层级": "市总工会", "上级工会": ""},
            ("C2", "层级", "市总工会不能通过导入新增。"),
        ),
        ({"代码": "N-1", "上级工会": "N-1"}, ("D2", "上级工会", "上级不能是自己。")),
    ],
)
def test_a_fault_is_named_with_its_cell_and_reason(admin, city, cells, expected):
    row = union("N-1", "示例", city.township.code) | cells
    assert faults(admin, [row]) == [expected]


@pytest.mark.parametrize("column", ["所有制", "层级"])
def test_a_word_outside_a_list_is_refused_with_what_is_in_it(admin, city, column):
    row = union("N-1", "示例", city.township.code) | {column: "莫须有"}
    ((_, title, reason),) = faults(admin, [row])
    assert title == column
    words = {"所有制": ["国有", "集体", "民营", "外商及港澳台", "混合", "其他"]}.get(
        column, ["市总工会", "县（市、区）工会", "产业工会", "乡镇（街道）工会", "基层工会"]
    )
    assert reason == f"“莫须有”不在可选范围内：{'、'.join(words)}。"


@pytest.mark.parametrize(
    ("tier", "superior", "reason"),
    [
        (
            "乡镇（街道）工会",
            "industry",
            "“平顶山市教育工会”是产业工会；乡镇（街道）工会的上级只能是：县（市、区）工会。",
        ),
        (
            "县（市、区）工会",
            "county",
            "“宝丰县总工会”是县（市、区）工会；县（市、区）工会的上级只能是：市总工会。",
        ),
        (
            "产业工会",
            "county",
            "“宝丰县总工会”是县（市、区）工会；产业工会的上级只能是：市总工会。",
        ),
        (
            "基层工会",
            "sibling",
            "“示例商贸有限公司工会委员会”是基层工会；基层工会的上级只能是："
            "乡镇（街道）工会、县（市、区）工会、产业工会、市总工会。",
        ),
    ],
)
def test_a_tier_under_a_superior_where_it_cannot_stand(admin, city, tier, superior, reason):
    row = union("N-1", "示例", getattr(city, superior).code, tier)
    assert faults(admin, [row]) == [("D2", "上级工会", reason)]


def test_a_superior_name_that_several_have_is_refused_with_their_codes(admin, city):
    twin = make_organization(Tier.TOWNSHIP, city.other_county, city.township.name)
    codes = f"{city.township.code}、{twin.code}"
    reason = f"有 2 个工会叫这个名称，请改填代码：{codes}。"
    row = union("N-1", "示例", city.township.name)
    assert faults(admin, [row]) == [("D2", "上级工会", reason)]


def test_a_code_that_comes_twice_is_refused_where_it_comes_again(admin, city):
    rows = [union("N-1", f"示例{n}", city.township.code) for n in range(3)]
    assert faults(admin, rows) == [
        ("A3", "代码", "与第 2 行的代码重复。"),
        ("A4", "代码", "与第 2 行的代码重复。"),
    ]


def test_the_same_code_in_full_width_is_the_same(admin, city):
    rows = [union(code, "示例", city.township.code) for code in ("N1", "Ｎ１")]
    assert faults(admin, rows) == [("A3", "代码", "与第 2 行的代码重复。")]


def test_the_tier_of_a_union_is_not_changed_by_a_list(admin, city):
    row = entry(city.township, 层级="基层工会")
    reason = "系统中这个工会的层级是“乡镇（街道）工会”，不能通过导入更改。"
    assert faults(admin, [row]) == [("C2", "层级", reason)]


def test_members_in_the_list_are_held_against_workers_in_the_register(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(workers=10)
    reason = "会员人数不能多于职工人数。（11 ＞ 10）"
    assert faults(admin, [entry(city.own, 会员人数=11)]) == [("H2", "会员人数", reason)]


@pytest.mark.parametrize(
    ("column", "value", "cell"),
    [
        ("单位性质", "企业", "E2"),
        ("所有制", "国有", "F2"),
        ("职工人数", "0", "G2"),
        ("会员人数", "5", "H2"),
        ("工会法人资格", "否", "I2"),
        ("统一社会信用代码", CREDIT_CODE, "J2"),
    ],
)
def test_the_register_is_for_grassroots_unions_only(admin, city, column, value, cell):
    row = entry(city.county) | {column: value}
    assert faults(admin, [row]) == [(cell, column, "只有基层工会填写这一列。")]


def test_a_dissolved_union_is_not_revived_by_a_list(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on="2026-01-01")
    reason = "这个工会已经撤销。如需继续使用，请先在系统中恢复。"
    assert faults(admin, [entry(city.own)]) == [("A2", "代码", reason)]


def test_nothing_is_entered_below_a_dissolved_superior(admin, city):
    Organization.objects.filter(pk=city.township.pk).update(dissolved_on="2026-01-01")
    row = union("N-1", "示例", city.township.code)
    assert faults(admin, [row]) == [("D2", "上级工会", "上级工会已经撤销。")]


def test_a_superior_whose_own_row_is_faulty_is_pointed_at(admin, city, county_admin):
    rows = [
        entry(city.other_township),
        union("N-1", "示例", city.other_township.code),
    ]
    assert faults(county_admin, rows) == [
        ("A2", "代码", "这个代码已被您管理范围以外的工会使用。"),
        ("D3", "上级工会", "上级工会在第 2 行，那一行有错误。"),
    ]


@pytest.mark.parametrize("length", [2, 3])
def test_superiors_in_a_circle_are_refused(admin, city, length):
    names = "ABC"[:length]
    rows = [
        union(f"X-{name}", f"示例{name}镇工会", f"X-{names[(place + 1) % length]}", "乡镇工会")
        for place, name in enumerate(names)
    ]
    found = faults(admin, rows)
    way = " → ".join(f"X-{name}" for name in [*names, names[0]])
    assert [(cell, reason) for cell, _, reason in found if "一圈" in reason] == [
        (f"D{number}", f"上级关系绕成了一圈：{way}。") for number in range(2, 2 + length)
    ]


def test_who_leads_into_a_circle_is_not_part_of_it(admin, city):
    rows = [
        union("B-1", "示例", "X-1"),
        union("X-1", "甲镇工会", "X-2", "乡镇工会"),
        union("X-2", "乙镇工会", "X-1", "乡镇工会"),
    ]
    circle = [cell for cell, _, reason in faults(admin, rows) if "一圈" in reason]
    assert circle == ["D3", "D4"]


def seconds_of_processor(client, rows):
    started = time.process_time()
    assert counts(preview(client, rows)) == {"FAULT": len(rows)}
    return time.process_time() - started


def test_a_long_chain_of_superiors_takes_no_long_time(admin, city):
    """Each row below the next one: the time does not grow with the square of the rows."""
    chain = [union(f"C-{n}", "示例", f"C-{n + 1}", "乡镇工会") for n in range(4000)]
    plain = [union(f"C-{n}", "示例", city.own.code, "乡镇工会") for n in range(4000)]
    assert seconds_of_processor(admin, chain) < 4 * seconds_of_processor(admin, plain)


def test_all_faults_of_a_row_are_told_at_once(admin, city):
    row = union("N 1", "", "没有", "村") | {"职工人数": "几个", "会员人数": "-3"}
    assert [cell for cell, *_ in faults(admin, [row])] == ["A2", "C2", "G2", "H2", "B2"]


def test_a_column_that_is_not_there_is_named_by_the_row(admin, city):
    """The members of the list against the workers of the register: no cell is to blame."""
    Organization.objects.filter(pk=city.own.pk).update(workers=3, members=2)
    content = workbook(
        [entry(city.own, 职工人数=1)], ("代码", "名称", "层级", "上级工会", "职工人数")
    )
    reason = "会员人数不能多于职工人数。（2 ＞ 1）"
    assert faults(admin, content) == [("第 2 行", "会员人数", reason)]


def test_one_faulty_row_keeps_the_good_ones_out_too(admin, city):
    rows = [union("N-1", "示例甲", city.township.code), union("N-2", "示例乙", "没有")]
    batch = preview(admin, rows)
    assert counts(batch) == {"FAULT": 1, "CREATE": 1}
    page = admin.get(batch.get_absolute_url()).content.decode()
    assert "有 1 行存在错误，什么都没有导入。" in page
    assert "确认导入" not in page
    admin.post(f"{batch.get_absolute_url()}confirm/")
    assert not Organization.objects.filter(code__startswith="N-").exists()


def test_what_a_cell_holds_is_shown_as_text(admin, city):
    row = union("N-1", "<script>alert(1)</script>", "<b>没有</b>")
    page = admin.get(preview(admin, [row]).get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "找不到上级工会“&lt;b&gt;没有&lt;/b&gt;”。" in page
    assert "<script>alert" not in page


def test_many_rows_are_shown_page_by_page(admin, city):
    batch = preview(admin, [union(f"N-{n:03}", "示例", city.township.code) for n in range(120)])
    assert [row["row"] for row in shown(admin, batch, "CREATE", 3)] == list(range(102, 122))
    assert [row["row"] for row in shown(admin, batch, "CREATE", 99)] == list(range(102, 122))


# --- Accounts ------------------------------------------------------------------------------------


def roles(code):
    memberships = Organization.objects.get(code=code).memberships
    return sorted(memberships.values_list("role", "user__full_name", "user__username"))


def test_accounts_are_opened_with_the_unions(admin, city):
    names = {"负责人姓名": "王主席", "填报员姓名": "李干事"}
    batch = imported(admin, [union("N-1", "示例", city.township.code) | names])
    assert counts(batch) == {"CREATE": 1, "accounts": 2}
    assert roles("N-1") == [("HEAD", "王主席", "n-1-1"), ("REPORTER", "李干事", "n-1-2")]
    user = Organization.objects.get(code="N-1").memberships.first().user
    assert (user.must_change_password, user.has_usable_password()) == (True, False)


def test_accounts_of_a_union_that_is_there_are_opened_once(admin, city):
    row = entry(city.sibling, 填报员姓名="赵干事")
    assert counts(imported(admin, [row])) == {"CHANGE": 1, "accounts": 1}
    assert counts(preview(admin, [row])) == {"UNCHANGED": 1}
    assert [name for role, name, _ in roles(city.sibling.code)] == ["邻主席", "赵干事"]


def test_another_name_opens_another_account_and_the_same_name_in_another_role_too(admin, city):
    row = entry(city.sibling, 负责人姓名="新主席", 填报员姓名="邻主席")
    assert counts(imported(admin, [row])) == {"CHANGE": 1, "accounts": 2}
    assert [(role, name) for role, name, _ in roles(city.sibling.code)] == [
        ("HEAD", "新主席"),
        ("HEAD", "邻主席"),
        ("REPORTER", "邻主席"),
    ]


def test_usernames_go_on_from_the_last_number(admin, city):
    make_user(username=f"{city.sibling.code.lower()}-7")
    imported(admin, [entry(city.sibling, 填报员姓名="赵干事")])
    assert ("REPORTER", "赵干事", f"{city.sibling.code.lower()}-8") in roles(city.sibling.code)


# --- What may be the same union twice ------------------------------------------------------------


def notices(client, batch, group="CREATE"):
    return [notice for row in shown(client, batch, group) for notice in row["notices"]]


def test_a_new_union_with_the_name_of_a_sibling_is_pointed_out(admin, city):
    batch = preview(admin, [union("N-1", city.own.name, city.township.code)])
    assert notices(admin, batch) == [
        f"同一上级下已有同名工会，代码 {city.own.code}，请核对是否重复。"
    ]
    assert batch.state == "CHECKED"


def test_the_name_of_a_union_elsewhere_is_no_matter(admin, city):
    batch = preview(admin, [union("N-1", city.own.name, city.other_township.code)])
    assert notices(admin, batch) == []


def test_two_rows_with_one_name_under_one_superior_are_pointed_out(admin, city):
    batch = preview(admin, [union(code, "示例", city.township.code) for code in ("N-1", "N-2")])
    assert notices(admin, batch) == ["同一上级下已有同名工会，代码 N-1，请核对是否重复。"]


def test_a_credit_code_that_another_union_has_is_pointed_out(admin, city):
    Organization.objects.filter(pk=city.foreign.pk).update(credit_code=CREDIT_CODE)
    row = union("N-1", "示例", city.township.code) | {"统一社会信用代码": CREDIT_CODE}
    assert notices(admin, preview(admin, [row])) == [
        f"信用代码与工会 {city.foreign.code} 相同，请核对是否重复。"
    ]


def test_a_county_does_not_learn_which_union_of_another_has_the_credit_code(county_admin, city):
    Organization.objects.filter(pk=city.foreign.pk).update(credit_code=CREDIT_CODE)
    row = union("N-1", "示例", city.township.code) | {"统一社会信用代码": CREDIT_CODE}
    assert notices(county_admin, preview(county_admin, [row])) == [
        "信用代码与其他县（市、区）的一个工会相同，请核对是否重复。"
    ]


def test_an_unchanged_union_is_not_its_own_double(admin, city):
    Organization.objects.filter(pk=city.own.pk).update(credit_code=OTHER_CREDIT_CODE)
    batch = preview(admin, [entry(city.own, 统一社会信用代码=OTHER_CREDIT_CODE)])
    assert notices(admin, batch, "UNCHANGED") == []


# --- A county's administrator --------------------------------------------------------------------


def test_a_county_imports_within_the_county(county_admin, city):
    rows = [
        union("N-1", "示例新建工会", "新设镇工会委员会") | {"负责人姓名": "王新"},
        union("X-1", "新设镇工会委员会", city.county.name, "乡镇工会"),
        entry(city.own, 名称="改名工会"),
        entry(city.sibling, 上级工会=city.county.code),
        entry(city.county),
    ]
    batch = imported(county_admin, rows)
    assert counts(batch) == {"CREATE": 2, "CHANGE": 1, "MOVE": 1, "UNCHANGED": 1, "accounts": 1}
    assert Organization.objects.get(code="N-1") in Organization.objects.subtree_of(city.county)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda c: entry(c.foreign), ("A2", "这个代码已被您管理范围以外的工会使用。")),
        (lambda c: entry(c.city, 名称="改名"), ("A2", "这个代码已被您管理范围以外的工会使用。")),
        (
            lambda c: union("N-1", "示例", c.other_township.code),
            ("D2", "找不到上级工会“{other_township.code}”。"),
        ),
        (
            lambda c: union("N-1", "示例", c.other_township.name),
            ("D2", "找不到上级工会“{other_township.name}”。"),
        ),
        (lambda c: union("N-1", "示例", c.city.code), ("D2", "找不到上级工会“{city.code}”。")),
        (
            lambda c: union("N-1", "新县总工会", c.city.code, "县"),
            ("D2", "找不到上级工会“{city.code}”。"),
        ),
        (
            lambda c: entry(c.county, 名称="宝丰总工会"),
            ("A2", "您不能修改这个工会本身的登记，请联系市总工会。"),
        ),
        (
            lambda c: entry(c.own, 上级工会=c.other_township.code),
            ("D2", "找不到上级工会“{other_township.code}”。"),
        ),
        (
            lambda c: entry(c.own, 上级工会=c.city.code),
            ("D2", "找不到上级工会“{city.code}”。"),
        ),
    ],
    ids=[
        "code of another county",
        "the city's own entry",
        "superior outside by code",
        "superior outside by name",
        "superior is the city",
        "a county of its own",
        "own county's entry",
        "moving to another county",
        "moving to the city",
    ],
)
def test_a_county_does_not_reach_beyond_itself(county_admin, city, make, expected):
    cell, reason = expected
    ((found_cell, _, found_reason),) = faults(county_admin, [make(city)])
    assert (found_cell, found_reason) == (cell, reason.format(**vars(city)))


def test_a_county_opens_accounts_for_its_own_union(county_admin, city):
    batch = imported(county_admin, [entry(city.county, 填报员姓名="县干事")])
    assert counts(batch) == {"CHANGE": 1, "accounts": 1}


def test_a_name_outside_makes_none_within_ambiguous(county_admin, city):
    make_organization(Tier.TOWNSHIP, city.other_county, city.township.name)
    batch = preview(county_admin, [union("N-1", "示例", city.township.name)])
    assert counts(batch) == {"CREATE": 1}


@pytest.mark.parametrize(
    "name",
    ["head", "reporter", "county_head", "reviewer", "lead", "leader", "township_head", "nobody"],
)
def test_nobody_else_finds_the_pages(client, city, name):
    client.force_login(getattr(city, name))
    assert upload(client, text([])).status_code == 404
    for page in ("imports", "import_template", "register"):
        assert client.get(reverse(f"organizations:{page}")).status_code == 404


def test_an_administrator_of_two_counties_imports_into_both_and_moves_between_them(client, city):
    both = make_user((city.county, Role.ADMIN), (city.other_county, Role.ADMIN))
    client.force_login(both)
    batch = imported(client, [entry(city.own, 上级工会=city.other_township.code)])
    assert counts(batch) == {"MOVE": 1}
