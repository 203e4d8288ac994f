import pytest

from organizations.initials import initials


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("平顶山市总工会", "pdsszgh"),
        ("长城银行", "ccyh"),
        ("重庆路街道工会委员会", "cqljdghwyh"),
        ("ＡＢＣ（第3）公司", "abcd3gs"),
        ("", ""),
        ("=1+1", "11"),
    ],
)
def test_initials(name, expected):
    assert initials(name) == expected
