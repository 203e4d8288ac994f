import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.credit_code import check_digit, is_credit_code

LEGAL = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110108551385082Q", "91330100799655058B"])
def test_codes_in_use_are_right(code):
    assert is_credit_code(code)


@pytest.mark.parametrize(
    "code", ["", "91350100M000100Y4", "91350100m000100y43", "I" * 18, "1" * 19]
)
def test_other_texts_are_not(code):
    assert not is_credit_code(code)


@given(st.text(LEGAL, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(LEGAL))
def test_one_wrong_character_shows(body, place, other):
    code = body + check_digit(body)
    assert is_credit_code(code)
    wrong = code[:place] + other + code[place + 1 :]
    assert is_credit_code(wrong) == (wrong == code)
