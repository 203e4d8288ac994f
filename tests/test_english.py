"""The English interface: whoever chooses it reads it throughout; what is stored stays Chinese."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from django.template.base import DebugLexer, TokenType
from django.utils import translation

from assessments.choices import State
from assessments.models import SelfAssessment
from organizations.models import AuditEvent, Notification
from tests import factories

BASE = Path(__file__).resolve().parent.parent
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
CATALOGUES = {"django": "babel.cfg", "djangojs": "babel_js.cfg"}
IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w*(?:![rs])?(?::[^{}]*)?\}|</?\w+")
#: The papers of an authority, which are Chinese whoever asks for them, and a language's own name.
CHINESE_ONLY = (
    "templates/assessments/print/",
    "templates/organizations/accounts/slips.html",
    "templates/includes/_language.html",
)
#: Names of sheets, columns and files, which are in Chinese, are quoted in English too.
QUOTED = re.compile(r"“[^”]*”|\([^)]*\)")


def catalogue(domain):
    with (BASE / f"locale/en/LC_MESSAGES/{domain}.po").open("rb") as file:
        return {(one.context, one.id): one for one in read_po(file) if one.id}


def words_in_use(domain):
    with (BASE / CATALOGUES[domain]).open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(BASE, methods, options, KEYWORDS)
    return {(context, text) for _, _, text, _, context in found}


@pytest.mark.parametrize("domain", CATALOGUES)
def test_the_catalogue_has_the_words_in_use_and_no_others(domain):
    assert set(catalogue(domain)) == words_in_use(domain)


def names(text):
    """The placeholders and tags of a text. A format may differ (a date is written otherwise)."""
    return sorted(re.sub(r"[:!][^{}]*\}", "}", found) for found in PLACEHOLDER.findall(text))


@pytest.mark.parametrize("domain", CATALOGUES)
def test_every_word_is_translated_with_its_placeholders(domain):
    faults = []
    for (_, text), message in catalogue(domain).items():
        english = message.string
        if (
            message.fuzzy
            or not english
            or IDEOGRAPH.search(QUOTED.sub("", english))
            or set(names(text)) != set(names(english))
            or ('"' in english and '"' not in text)
        ):
            faults.append((text, english))
    assert faults == []


def test_no_word_of_a_template_goes_unmarked():
    faults = []
    for path in sorted(BASE.glob("templates/**/*.html")):
        if str(path.relative_to(BASE)).startswith(CHINESE_ONLY):
            continue
        marked = 0
        for token in DebugLexer(path.read_text()).tokenize():
            words = token.contents.split()
            if token.token_type == TokenType.BLOCK and words[0] in ("blocktranslate", "comment"):
                marked += 1
            elif token.token_type == TokenType.BLOCK and words[0].startswith(
                ("endblocktranslate", "endcomment")
            ):
                marked -= 1
            elif token.token_type == TokenType.TEXT and not marked:
                if IDEOGRAPH.search(token.contents):
                    faults.append((path.name, token.lineno, token.contents.strip()[:40]))
            elif token.token_type in (TokenType.BLOCK, TokenType.VAR) and words[0] != "translate":
                bare = re.sub(r"""_\((["']).*?\1\)""", "", token.contents)
                if IDEOGRAPH.search(bare):
                    faults.append((path.name, token.lineno, token.contents))
    assert faults == []


# --- On the screen --------------------------------------------------------------------------------
def test_whoever_chooses_english_has_it_until_they_choose_otherwise(client):
    assert 'lang="zh-hans"' in client.get("/accounts/login/").content.decode()
    asked = {"HTTP_ACCEPT_LANGUAGE": "en"}
    assert 'lang="zh-hans"' in client.get("/accounts/login/", **asked).content.decode()
    chosen = client.post("/language/", {"language": "en", "next": "/accounts/login/"})
    assert chosen.status_code == 302
    page = client.get("/accounts/login/")
    assert 'lang="en"' in page.content.decode()
    assert "Sign in" in page.content.decode()
    assert page.headers["Content-Language"] == "en"
    assert "Cookie" in page.headers["Vary"]
    client.post("/language/", {"language": "zh-hans", "next": "/"})
    assert 'lang="zh-hans"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("nonsense", ["de", "", "en\n", "../../etc", "x" * 5000])
def test_an_unknown_language_is_chinese(client, nonsense):
    client.cookies["django_language"] = nonsense
    assert 'lang="zh-hans"' in client.get("/accounts/login/").content.decode()


def test_the_choice_leads_to_no_other_host(client):
    chosen = client.post("/language/", {"language": "en", "next": "https://example.com/"})
    assert chosen.url == "/"


def test_scripts_find_their_words(client):
    client.cookies["django_language"] = "en"
    words = client.get("/language/words.js")
    assert words.headers["Content-Type"].startswith("text/javascript")
    assert "Not saved" in words.content.decode()


@pytest.mark.django_db
def test_the_policy_stays_chinese(client, city, campaign):
    client.cookies["django_language"] = "en"
    assert "领导班子配备到位，结构合理" in client.get("/policy/").content.decode().replace(
        ",", "，"
    )


@pytest.mark.django_db(transaction=False)
def test_what_is_stored_is_chinese_whoever_acts(city):
    """Messages and the record of a whole way through, all of it by people who read English."""
    with translation.override("en"):
        campaign = factories.make_campaign(endorsement=True)
        factories.make_self_assessment(city, campaign, State.RETURNED)
        factories.make_self_assessment(city, campaign, State.FINAL, organization=city.sibling)
    assert SelfAssessment.objects.filter(state=State.FINAL).exists()
    told = list(Notification.objects.values_list("text", flat=True))
    assert len(told) > 10
    assert [text for text in told if re.search("[a-z]{3,}", text)] == []
    for event in AuditEvent.objects.all():
        words = [value for value in event.details.values() if isinstance(value, str)]
        assert [w for w in words if re.search(r"[a-z]{3,} [a-z]", w)] == [], event.action
