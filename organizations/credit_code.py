"""The check digit of the unified social credit code (统一社会信用代码, GB 32100-2015)."""

_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_digit(body: str) -> str:
    """The 18th character to 17 legal ones. Raises ValueError where a character is not legal."""
    total = sum(_DIGITS.index(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return _DIGITS[-total % 31]


def is_credit_code(text: str) -> bool:
    """Whether the text is 18 legal upper-case characters whose last one agrees with the others."""
    return (
        len(text) == 18
        and all(character in _DIGITS for character in text)
        and text[17] == check_digit(text[:17])
    )
