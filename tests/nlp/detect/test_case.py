"""What an incident says of itself while it is told."""

from store.records import Scored

LAW = """
public_order: {legal_basis: "invented for a test of detection", roles: [desk], keep_days: 3}
"""


def test_plainer_words_for_a_hazard_never_take_its_place(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}", hazard=Scored("industrial_fire", 0.9))
    for number, text in enumerate(fire[3:9]):
        street.say(text, author=f"author-{number + 3}", hazard=Scored("fire", 0.9))
    assert street.look()[-1].incident.hazard == "industrial_fire"


def test_two_who_threaten_among_many_who_tell_are_told(new_street, fire):
    street = new_street(LAW)
    for number, text in enumerate(fire):
        street.say(text, author=f"author-{number}")
    told = len(street.look())
    for number, text in enumerate(
        ("On va casser la vitrine de l'entrepôt qui brûle à Cholet", "Cholet : on pille tout")
    ):
        street.say(text, author=f"threat-{number}", labels=("public_order_threat",))
    update = street.look()[told:][-1]
    assert "public_order_threat" in update.incident.tags
    assert "tag public_order_threat" in update.reason
