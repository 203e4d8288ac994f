"""What the architecture promises and no other tool checks."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
CODE = [
    path
    for app in ("liuhao_portal", "organizations", "assessments")
    for path in sorted((BASE / app).rglob("*.py"))
    if "migrations" not in path.parts
]
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))


def name(path):
    return str(path.relative_to(BASE))


def test_files_stay_small():
    assert [name(p) for p in CODE if len(p.read_text(encoding="utf-8").splitlines()) > 400] == []
    long = [name(p) for p in TEMPLATES if len(p.read_text(encoding="utf-8").splitlines()) > 150]
    assert long == []


def test_only_the_workflow_writes_the_state_of_a_self_assessment():
    """Campaigns have a state of their own, written by `campaigns`, inspections theirs, written by
    `inspecting`, and notices, plans, cases, appeals and rounds of supervision theirs; `organizations`, which cannot import self-assessments, has one for its imports."""
    writers = [
        name(p)
        for p in CODE
        if "organizations" not in p.parts
        and re.search(
            r"\.state(, \w+\.\w+)? = |update\([^)]*\bstate=", p.read_text(encoding="utf-8")
        )
    ]
    assert writers == [
        "assessments/appeals.py",
        "assessments/campaigns.py",
        "assessments/cases/table.py",
        "assessments/inspecting.py",
        "assessments/notices.py",
        "assessments/plans/table.py",
        "assessments/publicity.py",
        "assessments/supervision/steps.py",
        "assessments/workflow/__init__.py",
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_inline_script_or_style_and_no_other_host(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


def test_no_template_asks_for_a_role():
    assert [
        name(p) for p in TEMPLATES if re.search(r"\bRole\b|is_superuser|has_perm", p.read_text())
    ] == []


def test_own_scripts_and_styles_stay_within_the_weight_of_a_page():
    """A page is either filled in, or scored, or a picture."""
    files = [*(BASE / "static/css").glob("*"), *(BASE / "static/js").glob("*")]
    files.append(BASE / "static/vendor/bootstrap.min.css")
    weights = {path.name: len(gzip.compress(path.read_bytes())) for path in files}
    weights.pop("back_office.css")
    filled_in, scored = {"uploads.js"}, {"desk.js", "viewer.js"}
    picture = {name for name in weights if name.startswith("dashboard.")}
    for elsewhere in (scored | picture, filled_in | picture, filled_in | scored):
        assert sum(weights[one] for one in weights.keys() - elsewhere) < 60_000


@pytest.mark.parametrize("path", sorted((BASE / "static/css").glob("*.css")), ids=name)
def test_braces_of_a_style_sheet_match(path):
    """One that is lost silences everything after it, without a word."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    depth = 0
    for sign in re.findall(r"[{}]", text):
        depth += 1 if sign == "{" else -1
        assert 0 <= depth <= 2
    assert depth == 0
