"""The contract of ``vigie annotate``, through the command."""

import json

import pytest
from click.testing import CliRunner, Result

from desk.commands.annotate import command

FIRE = "Gros incendie à Cholet, fumée noire partout, les pompiers évacuent la rue"


def annotate(*lines: object, args: tuple[str, ...] = ()) -> Result:
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    return CliRunner().invoke(command, args, input=text.encode("utf-8", "surrogatepass"))


def answers(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def one(text: str, **more: object) -> dict[str, object]:
    return answers(annotate({"id": "1", "text": text, **more}))[0]


def test_a_line_has_every_field_of_the_contract():
    told = one(FIRE)
    assert list(told) == [
        "id", "lang", "depth", "about", "relevance", "tags", "labels", "hazard", "need", "urgency", "source", "stance",
        "when", "refuted", "quantities", "locations", "why",
    ]  # fmt: skip


def test_answers_keep_the_order_of_the_posts():
    told = answers(annotate(*({"id": str(n), "text": FIRE} for n in range(1200))))
    assert [line["id"] for line in told] == [str(n) for n in range(1200)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense\n", "not JSON"),
        ("\n", "empty line"),
        ("[1]\n", "not a list"),
        ('{"text": "feu"}\n', "id is missing"),
        ('{"id": "1"}\n', "text is missing"),
        ('{"id": "1", "text": 5}\n', "not a number"),
        ('{"id": "1", "text": "feu", "lang": 3}\n', "lang must be a string"),
        ('{"id": "1", "text": "feu", "geo": "Cholet"}\n', "geo must be an object"),
        ('{"id": "1", "text": "feu", "geo": {"lat": 95, "lon": 0}}\n', "lat from -90 to 90"),
        ('{"id": "1", "text": "feu", "created_at": "hier"}\n', "ISO 8601"),
    ],
)
def test_a_bad_line_keeps_its_place_and_says_why(line: str, reason: str):
    result = annotate({"id": "0", "text": FIRE}, line, {"id": "2", "text": FIRE})
    told = answers(result)
    assert result.exit_code == 1
    assert reason in str(told[1]["error"])
    assert [told[0]["id"], told[2]["id"]] == ["0", "2"]
    assert result.stderr.startswith("line 2: ")


def test_good_lines_leave_status_zero_and_a_silent_stderr():
    result = annotate({"id": "1", "text": FIRE})
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "text", ["", "🔥" * 40, "https://t.co/x", "a" * 100_000, "feu \0 à Cholet", "\u202efeu à Cholet"]
)
def test_strange_texts_get_an_answer(text: str):
    assert one(text)["tags"] is not None


def test_lone_surrogates_are_replaced_and_the_rest_is_read():
    result = annotate('{"id": "1", "text": "\\ud800 ' + FIRE + '"}\n')
    assert result.exit_code == 0
    assert answers(result)[0]["hazard"]["name"] == "fire"


def test_a_post_without_words_scores_next_to_nothing():
    assert one("🔥🔥🔥")["tags"]["emerging_incident"] < 0.01


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("ar", "انفجار كبير في المدينة والناس يهربون"),
        ("ru", "Сильный взрыв в центре города, люди бегут"),
        ("ja", "駅の近くで大きな爆発がありました"),
        ("de", "Es gab eine große Explosion in der Stadt und viele Menschen sind verletzt"),
    ],
)
def test_a_language_it_does_not_know_is_named_and_not_scored(lang: str, text: str):
    told = one(text)
    assert (told["lang"], told["about"], told["relevance"]) == (lang, None, None)
    assert set(told["tags"].values()) == {None}


def test_several_workers_give_the_same_answers():
    posts = [{"id": str(n), "text": f"{FIRE} {n}"} for n in range(600)]
    assert annotate(*posts, args=("--workers", "2")).stdout == annotate(*posts).stdout


def test_a_last_line_without_line_end_is_read():
    assert len(answers(annotate({"id": "1", "text": FIRE}, '{"id": "2", "text": "feu"}'))) == 2
