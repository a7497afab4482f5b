import pytest

from store.search.highlights import BEGIN, END, marks
from store.search.request import Mark


def marked(text: str) -> tuple[str, str]:
    """The text, and what Elasticsearch gives for it, where brackets stand for the bounds."""
    return text.replace("[", "").replace("]", ""), text.replace("[", BEGIN).replace("]", END)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("[fumée] noire", [(0, 5)]),
        ("🔥👨‍👩‍👧 [fumée]", [(7, 12)]),
        ("[fume\u0301e]", [(0, 6)]),
        ("[barrage de la Brenne] monte", [(0, 7), (8, 10), (11, 13), (14, 20)]),
        ("rien", []),
        ("[火]事", [(0, 1)]),
        ("a_[fumée]_b", [(2, 7)]),
    ],
)
def test_words_are_marked_one_by_one_in_code_points(said, expected):
    text, copy = marked(said)
    assert marks(text, [copy]) == tuple(Mark(*one) for one in expected)


def test_a_word_found_in_two_ways_is_marked_once():
    text, one = marked("des [fumées] et du feu")
    _, other = marked("des [fumées] et du [feu]")
    assert marks(text, [one, other]) == (Mark(4, 10), Mark(17, 20))


def test_a_post_that_holds_the_bounds_itself_shifts_no_mark():
    assert marks(f"{BEGIN}ici{END} fumée", [f"{BEGIN}ici{END} {BEGIN}fumée{END}"]) == ()
