"""Rules built and put into order in the browser: what is sent for it, and what each person gets to see meanwhile."""

import pytest
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from inbox.models import Conversation
from routing import actions, engine
from routing.models import RuleSet
from routing.rows import ConditionForm
from tests.make import make_post, receive
from tests.routing.posts import says
from tests.routing.test_pages import BOSS, PARCELS, PRESS, filled, live, page, rules  # noqa: F401  (a fixture)

db = pytest.mark.django_db


def sent(*rows):
    """A form with these rows: (key, inside, join or question, typed)."""
    data = MultiValueDict({"row": [row[0] for row in rows]})
    for key, inside, what, *typed in rows:
        data[f"in-{key}"] = inside
        data["join-" + key if what in ("all", "any", "none", "not all") else "ask-" + key] = what
        data.setlist(f"typed-{key}", typed)
    return ConditionForm.sent(data)


def drawn(row):
    return {row.join: [drawn(each) for each in row.rows]} if row.join else row.typed


# Rows ---------------------------------------------------------------------------------------------------------------
def test_a_row_walks_through_the_groups_and_out_of_them_and_none_is_lost():
    form = sent(("0", "", "all"), ("1", "0", "text any", "a"), ("2", "0", "any"), ("3", "2", "text any", "b"))
    seen = [drawn(form.root)]
    for _ in range(3):
        form.change("down 1")
        seen.append(drawn(form.root))
    assert seen == [
        {"all": ["a", {"any": ["b"]}]},
        {"all": [{"any": ["a", "b"]}]},
        {"all": [{"any": ["b", "a"]}]},
        {"all": [{"any": ["b"]}, "a"]},
    ]
    form.change("down 1")
    assert form.told == "“Text contains any of a” is last already."
    form.change("move 1 2 3")
    assert drawn(form.root) == {"all": [{"any": ["a", "b"]}]}
    form.change("move 2 2")  # into itself
    form.change("move 0 2")  # the whole into a part of it
    assert drawn(form.root) == {"all": [{"any": ["a", "b"]}]}


def test_groups_lie_six_deep_and_no_deeper():
    form = sent(("0", "", "all"), ("1", "0", "text any", "a"), ("2", "0", "text any", "b"))
    for _ in range(8):
        deepest = [row for row in form.root.all() if row.join][-1]
        form.change(f"group {deepest.key}")
    assert form.told == "Groups lie more than 6 deep in one another."
    assert sum(1 for row in form.root.all() if row.join) == 5


def test_a_question_is_filled_in_as_befits_it_and_keeps_what_still_answers_it():
    offers = {"network": [("x", "X"), ("demo", "Demo")]}
    form = sent(("0", "", "all"), ("1", "0", "network in", "x", "parcel")).offer(offers)
    form.change("ask 1")
    (row,) = form.root.rows
    assert (row.entry, row.typed) == ("pick", "x")
    for ask, entry in {
        "text regex": "line", "time within": "spell", "followers at_least": "number", "text any": "terms",
        "post any": "nothing", "lang in": "terms",
    }.items():  # fmt: skip
        assert sent(("0", "", "all"), ("1", "0", ask)).root.rows[0].entry == entry


# While one types ----------------------------------------------------------------------------------------------------
def counted(client, rule_set, **changes):
    answer = client.post(reverse("rules-count", args=[rule_set.pk]), filled(rule_set, **changes))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@db
def test_cora_sees_what_a_condition_finds_among_the_posts_that_she_may_see(rules, client_of, cora):  # noqa: F811
    receive(
        make_post("A parcel"), make_post("Where is my parcel?", author="b"), make_post("my boss took a parcel"),
        make_post("hello", author="d"), make_post("a boss of mine", author="e"),
    )  # fmt: skip
    engine.route()
    client = client_of(cora)
    html = counted(client, rules, **{"typed-1": "parcel"})
    seen = Conversation.objects.visible_to(cora).count()
    assert f"of the last {seen} posts" in html
    assert '<mark class="hit">parcel</mark>' in html
    assert "An earlier rule takes all of them." in html
    assert "If the text contains <b><bdi>parcel</bdi></b>, place in Customer service." in html
    assert "None of them fits." in counted(client, rules, **{"typed-1": "lorry"})
    assert "No earlier rule takes" in counted(client, rules, uid="parcels", **{"typed-1": "parcel"})
    wrong = counted(client, rules, **{"ask-1": "text regex", "typed-1": "(a"})
    assert "not complete yet" in wrong and 'role="alert"' in wrong


@db
def test_what_only_hr_may_know_is_in_no_count(rules, client_of, cora, hana, hr):  # noqa: F811
    own = actions.found_rule_set(hr, by="system")
    actions.publish(own, [], by="system")
    receive(make_post("my boss"), make_post("my boss again", author="b"))
    actions.publish(rules, [PRESS, BOSS, PARCELS], by="system")
    engine.route()
    assert "Nothing came in yet that you may see." in counted(client_of(cora), rules, **{"typed-1": "boss"})
    hers = counted(client_of(hana), own, place="", tags="x", **{"typed-1": "boss"})
    assert "<b>2</b> <span>of the last 2 posts fit" in hers
    assert client_of(hana).post(reverse("rules-count", args=[rules.pk]), filled(rules)).status_code == 403


# The list -----------------------------------------------------------------------------------------------------------
@db
def test_a_finished_reorder_is_one_version_and_can_be_undone(rules, client_of, cora, ada):  # noqa: F811
    client, path = client_of(cora), reverse("rules-order", args=[rules.pk])
    moved = {"uid": ["boss", "parcels", "press"], "moved": "boss", "based_on": 1}
    answer = client.post(path, moved, follow=True)
    assert [each["uid"] for each in live(rules).rules] == ["boss", "parcels", "press"]
    assert (live(rules).number, live(rules).why) == (2, "Moved “Boss” to place 1")
    undo = reverse("rules-restore", args=[rules.pk, 1]) + "?based_on=2"
    assert f'action="{undo}"' in answer.content.decode()
    client_of(ada).post(reverse("rule-verb", args=[rules.pk, "press", "off"]), {"based_on": 2})
    assert "was published meanwhile by Ada" in client.post(undo, follow=True).content.decode()
    client.post(path, moved | {"uid": ["press", "boss", "parcels"]})
    assert live(rules).number == 3


@db
def test_the_list_is_filtered_by_word_and_by_department(rules, client_of, carl):  # noqa: F811
    client = client_of(carl)

    def names(**asked):
        found = client.get(reverse("rules"), asked).context["sections"][0].lines
        return [line.name for line in found]

    assert names(q="delivery") == ["Parcels"]
    assert names(to="rnd") == ["Parcels"]
    assert names(q="journ", to="pr") == ["Press"]
    assert names(q="lorry") == []


@db
def test_a_draft_is_changed_at_leisure_while_the_live_rules_stand(rules, client_of, cora, carla, carl):  # noqa: F811
    client = client_of(cora)
    home = client.post(reverse("rules-draft-begin", args=[rules.pk])).url
    assert home == reverse("rules-draft", args=[rules.pk, 2])
    verb = reverse("rule-verb", args=[rules.pk, "press", "delete"]) + "?draft=2"
    assert client.post(verb).url == home
    form = client.get(reverse("rule", args=[rules.pk, "boss"]) + "?draft=2")
    assert "Keep in the draft" in form.content.decode()
    sent = filled(rules, name="Bosses", place="hr")
    assert client.post(reverse("rule", args=[rules.pk, "boss"]) + "?draft=2", sent).url == home
    draft = rules.versions.get(number=2)
    assert [each["name"] for each in draft.rules] == ["Parcels", "Bosses"]
    assert (live(rules).number, len(live(rules).rules)) == (1, 3)
    assert ">Draft 2</a>" in page(client)
    assert ">Draft 2</a>" not in page(client_of(carl))
    for person in (carla, carl):
        assert client_of(person).get(home).status_code == 403
    tried = client.post(reverse("rules-try"), {"text": "a journalist", "kind": "dm", "network": "x", "by": draft.pk})
    assert "by draft 2" in " ".join(tried.content.decode().split())
    assert "No rule" in tried.content.decode() or "no rule" in tried.content.decode()


# Trying -------------------------------------------------------------------------------------------------------------
@db
def test_rules_are_tried_on_the_post_that_began_a_conversation(rules, client_of, carl, hana):  # noqa: F811
    receive(make_post("Where is my parcel?"))
    engine.route()
    asked = {"conversation": Conversation.objects.get().pk}
    html = client_of(carl).get(reverse("rules-try"), asked).content.decode()
    assert "on the post that began" in html
    assert '<mark class="hit">parcel</mark>' in html
    assert client_of(hana).get(reverse("rules-try"), asked).status_code == 404
    assert client_of(carl).get(reverse("rules-try"), {"conversation": "nonsense"}).status_code == 404


@db
def test_the_own_rules_of_hr_leave_no_trace_in_what_others_try(rules, client_of, hr, mia, hana):  # noqa: F811
    own = actions.found_rule_set(hr, by="system")
    actions.publish(own, [{"name": "Quietly", "when": says("boss"), "then": {"tags": ["hush"]}}], by="system")
    said = {"text": "my boss", "kind": "dm", "network": "x"}
    assert "Quietly" in client_of(hana).post(reverse("rules-try"), said).content.decode()
    others = client_of(mia).post(reverse("rules-try"), said).content.decode()
    assert "Quietly" not in others and "hush" not in others
    assert RuleSet.objects.visible_to(mia).count() == 1
