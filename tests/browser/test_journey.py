"""The main job, by the people who do it, in a real browser with the live stream on: what one of them does, the others
see without reloading."""

import pytest
from playwright.sync_api import expect

from connectors.models import DemoPost
from inbox.models import QueueItem, Reply
from routing.models import RuleSet
from socialhub import pipeline
from tests.browser.test_desk import violations
from tests.make import item_of

pytestmark = pytest.mark.django_db(transaction=True)

ANGRY = "@mirabelo three weeks late and nobody answers. Where is my order? I want a refund now."


def lead_of(post) -> QueueItem:
    return QueueItem.objects.get(conversation__messages__external_id=str(post.pk), lead=True)


def is_live(page):
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    page.evaluate("window.neverReloaded = true")
    return page


def was_not_reloaded(page) -> bool:
    return page.evaluate("window.neverReloaded === true")


def test_carl_signs_in_answers_an_angry_post_and_it_arrives_once(opens, arrives, answers_to):
    post = arrives("jonas_l", ANGRY)
    page = opens(None, "/sign-in/")
    page.get_by_label("Name").fill("carl")
    page.get_by_label("Password").fill("social-hub")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#rows .row")).to_have_count(1)
    is_live(page)
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("#thread")).to_contain_text("Where is my order?")
    page.keyboard.press("r")
    page.keyboard.type("Sorry, Jonas. Your refund is on its way.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("Your refund is on its way.")
    assert pipeline.send() == 1 and pipeline.send() == 0
    assert [each.text for each in answers_to(post)] == ["Sorry, Jonas. Your refund is on its way."]
    assert Reply.objects.get().state == "sent"
    # The worker sent it; the page hears of it.
    expect(page.locator("#rows .row")).to_have_count(0)
    assert was_not_reloaded(page)
    assert DemoPost.objects.filter(direction="out").count() == 1


def test_mia_places_what_arrives_with_one_key_and_mara_sees_it_come(opens, arrives, mia, mara):
    maras = is_live(opens(mara))
    mias = is_live(opens(mia, "/inbox/triage/"))
    post = arrives("tinka", "@mirabelo hm.")
    expect(mias.locator("#rows .row")).to_have_count(1)
    mias.keyboard.press("j")
    mias.keyboard.press("3")
    expect(maras.locator("#rows .row")).to_contain_text("hm.")
    assert was_not_reloaded(maras) and was_not_reloaded(mias)
    assert lead_of(post).department.slug == "marketing"


def test_carla_hands_off_to_rnd_and_ravi_accepts(opens, arrives, carla, ravi):
    post = arrives("jonas_l", ANGRY)
    conversation = lead_of(post).conversation
    ravis = is_live(opens(ravi))
    carlas = is_live(opens(carla, conversation.get_absolute_url()))
    carlas.keyboard.press("h")
    dialog = carlas.locator("#dialog-hand-off")
    dialog.get_by_label("R&D").check()
    dialog.get_by_label("They know better").check()
    dialog.get_by_label("Note for them").fill("The tracker lost it again.")
    dialog.get_by_role("button", name="Hand off").click()
    ravis.locator("#rows .row .open").click()
    expect(ravis.locator("#talk")).to_contain_text("The tracker lost it again.")
    ravis.keyboard.press("Shift+A")
    expect(ravis.locator(".toast")).to_contain_text("R&D has it now")
    assert lead_of(post).department.slug == "rnd"
    expect(carlas.locator("#talk")).to_contain_text("R&D")
    assert item_of(conversation, "customer-service").status == "resolved"
    assert was_not_reloaded(ravis) and was_not_reloaded(carlas)


def test_coras_board_moves_when_a_post_arrives(opens, arrives, cora):
    page = is_live(opens(cora, "/overview/"))
    row = page.locator("#board tr", has_text="Customer service").first
    before = row.inner_text()
    arrives("jonas_l", ANGRY)
    expect(row).not_to_have_text(before)
    expect(page.locator("#board")).to_contain_text("Where is my order?")
    assert was_not_reloaded(page)


def test_hana_sees_an_applicant_come_and_carl_sees_nothing_move(opens, arrives, hana, carl):
    hanas, carls = is_live(opens(hana)), is_live(opens(carl))
    carls.wait_for_timeout(1_200)  # the stroke of the opening stream is told together with what comes in that second
    carls.evaluate("window.heard = []")
    carls.evaluate("document.addEventListener('changed', (event) => heard.push(...event.detail.names), true)")
    arrives("amara_o", "@mirabelo do you have any vacancies for mechanics in Utrecht?")
    expect(hanas.locator("#rows .row")).to_contain_text("vacancies")
    carls.wait_for_timeout(1_500)
    assert carls.locator("#rows .row").count() == 0
    # When the stream opens everything may have changed; after that nothing does, for him.
    assert set(carls.evaluate("window.heard")) <= {"*"}


def test_ada_edits_a_rule_in_the_form_and_the_next_post_follows_it(opens, arrives, ada, cora):
    assert lead_of(arrives("jonas_l", ANGRY)).department.slug == "customer-service"
    rule = RuleSet.objects.get(department=None).live.rules
    uid = lead_of(DemoPost.objects.get()).conversation.messages.get().decisions.get().rule_uid
    name = next(each["name"] for each in rule if each["uid"] == uid)
    coras = is_live(opens(cora, "/routing/"))
    page = opens(ada, "/routing/")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_label("Place in").select_option(label="Marketing")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".toast")).to_contain_text("Version 2 is live")
    expect(coras.locator("#versions tbody tr").first).to_contain_text(str(ada))
    assert was_not_reloaded(coras)
    assert lead_of(arrives("sanne_fietst", ANGRY)).department.slug == "marketing"


PLACES = {
    "cora": ("/overview/", "/overview/open/", "/routing/", "/channels/", "/channels/demo/", "/departments/"),
    "ada": (
        "/people/", "/people/invite/", "/departments/customer-service/", "/departments/new/", "/audit/", "/me/",
        "/channels/new/", "/channels/new/?network=demo", "/channels/demo/edit/",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")], ids=str)
def test_the_places_of_coordinator_and_admin_are_accessible_and_never_scroll_sideways(
    opens, arrives, cora, ada, width, theme
):
    arrives("jonas_l", ANGRY)
    arrives("tinka", "@mirabelo hm.")
    shape = {"viewport": {"width": width, "height": 900}, "color_scheme": theme, "bypass_csp": True}
    wrong = []
    for person in (cora, ada):
        page = opens(person, "/inbox/", **shape)
        for path in PLACES[person.username]:
            page.goto(path)
            wrong += [(path, *each) for each in violations(page)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((path, "scrolls sideways"))
    assert wrong == []


def test_no_place_breaks_the_content_policy_or_a_script(opens, arrives, cora, ada, mia):
    """With the policy on, and every complaint of the browser counted (the fixture does)."""
    post = arrives("jonas_l", ANGRY)
    everywhere = {
        cora: PLACES["cora"],
        ada: PLACES["ada"],
        mia: ("/inbox/triage/", lead_of(post).get_absolute_url(), "/search/?q=order", "/contacts/", "/outside/"),
    }
    for person, paths in everywhere.items():
        page = is_live(opens(person))
        for path in paths:
            page.goto(path)
            expect(page.locator("main")).to_be_visible()
