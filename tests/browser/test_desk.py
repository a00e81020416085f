"""The desk as its people use it: keys, places, drafts, life without scripts, and whether everybody can use it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from inbox import actions
from inbox.models import Note, QueueItem, Reply
from tests.make import answer_in, make_channel, make_item

pytestmark = pytest.mark.django_db(transaction=True)
SHAPES = [((1440, 900), "light"), ((1440, 900), "dark"), ((1024, 768), "light"), ((390, 844), "dark")]


def fresh(item):
    return QueueItem.objects.select_related("department").get(pk=item.pk)


def row(page, item):
    return page.locator(f"#row-{item.pk}")


def answerable(text, author):
    return make_item(text, author=author, channel=make_channel("public", "demo"))


def bell(page):
    """What the live stream does to the list."""
    page.evaluate("document.getElementById('rows').dispatchEvent(new CustomEvent('changed'))")


# Keys -----------------------------------------------------------------------------------------------------------------
def test_mia_places_with_one_key_and_takes_it_back(desk_of, mia):
    lies = make_item("Can anybody tell me who is in charge?", "triage", minutes_ago=30)
    next_one = make_item("And this?", "triage", author="ben")
    page = desk_of(mia, "/inbox/triage/")
    page.keyboard.press("j")
    page.keyboard.press("2")
    expect(page.locator(".toast")).to_contain_text("Placed in PR")
    expect(row(page, lies)).to_have_count(0)
    expect(row(page, next_one).locator(".open")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(row(page, lies)).to_be_visible()
    assert fresh(lies).status == "open"


def test_carl_goes_through_his_queue_without_a_mouse(desk_of, carl):
    first, second = answerable("Where is my parcel?", "ana"), answerable("It came broken", "ben")
    page = desk_of(carl, "/inbox/customer-service/")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page).to_have_url(re.compile(f"/inbox/c/{first.conversation_id}/"))
    page.keyboard.press("r")
    page.keyboard.type("It is with the courier since noon.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("It is with the courier since noon.")
    assert Reply.objects.get().text == "It is with the courier since noon."
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("n")  # another row than the open one: it is opened first
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("Second one this week.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note")).to_contain_text("Second one this week.")
    assert Note.objects.get().conversation_id == second.conversation_id


def test_keys_rest_while_one_writes_and_when_they_are_switched_off(desk_of, carl, carla):
    item = answerable("Where is my parcel?", "ana")
    carla.shortcuts = False
    carla.save()
    page = desk_of(carl, item.get_absolute_url())
    page.locator("#reply-text").fill("")
    page.keyboard.type("ed!")
    expect(page.locator("#reply-text")).to_have_value("ed!")
    hers = desk_of(carla, item.get_absolute_url())
    hers.keyboard.press("e")
    hers.wait_for_timeout(300)
    assert fresh(item).status == "open"


def test_several_are_picked_and_resolved_at_once(desk_of, carl):
    items = [make_item(author=name) for name in ("ana", "ben", "cleo")]
    page = desk_of(carl, "/inbox/customer-service/")
    for key in ("j", "x", "Shift+J", "d"):
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("2 resolved")
    expect(page.locator("#rows .row")).to_have_count(1)
    assert sorted(fresh(each).status for each in items) == ["open", "resolved", "resolved"]


# Nothing is lost, nothing moves under the eye -----------------------------------------------------------------------
def test_new_rows_wait_while_somebody_stands_in_the_list(desk_of, carl):
    make_item("The first", minutes_ago=50)
    make_item("The second", author="ben", minutes_ago=40)
    page = desk_of(carl, "/inbox/customer-service/")
    page.keyboard.press("j")
    came = make_item("More urgent than both", author="cleo", minutes_ago=90)
    bell(page)
    expect(page.locator("[data-fresh]")).to_have_text("1 new")
    expect(row(page, came)).to_have_count(0)
    page.locator("[data-fresh]").click()
    expect(page.locator("#rows .row").first).to_contain_text("More urgent than both")


def test_a_draft_outlives_a_lost_line_and_a_closed_tab(desk_of, carl):
    item = answerable("Where is my parcel?", "ana")
    page = desk_of(carl, item.get_absolute_url())
    page.locator("#reply-text").fill("Found it, it is")
    page.context.route("**/reply/", lambda route: route.abort())
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("can not be reached")
    page.reload()
    expect(page.locator("#reply-text")).to_have_value("Found it, it is")
    page.context.unroute("**/reply/")
    page.locator("#reply-text").press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text("Found it, it is")
    page.reload()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))") == []


def test_something_newer_is_shown_before_a_reply_goes_out(desk_of, carl):
    item = answerable("Where is my parcel?", "ana")
    page = desk_of(carl, item.get_absolute_url())
    page.locator("#reply-text").fill("It comes today.")
    answer_in(item.conversation, "Never mind, it is here.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".newer[role=alert]")).to_contain_text("Never mind, it is here.")
    expect(page.locator("#reply-text")).to_have_value("It comes today.")
    assert not Reply.objects.exists()


def test_what_another_department_took_leaves_with_a_word(desk_of, carl):
    item = make_item("I apply for the job", "customer-service")
    page = desk_of(carl, "/inbox/customer-service/")
    page.keyboard.press("j")
    QueueItem.objects.filter(pk=item.pk).update(status="resolved", resolution="handled_elsewhere")
    bell(page)
    expect(row(page, item)).to_contain_text("left this list")


# Without scripts ------------------------------------------------------------------------------------------------------
def test_carla_works_without_scripts(desk_of, carla):
    item = answerable("Where is my parcel?", "ana")
    page = desk_of(carla, "/inbox/customer-service/", java_script_enabled=False)
    row(page, item).locator(".open").click()
    page.locator("#reply-text").fill("It comes today.")
    page.get_by_role("button", name="Send", exact=True).click()
    assert Reply.objects.get().text == "It comes today."
    page.get_by_role("button", name="Hand off", exact=True).first.click()
    page.get_by_label("R&D").check()
    page.locator("#dialog-hand-off").get_by_role("button", name="Hand off").click()
    expect(page.locator("#ask")).to_contain_text("Waits for R&D to accept it")


# For everybody --------------------------------------------------------------------------------------------------------
def violations(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [(each["id"], each["nodes"][0]["html"][:120]) for each in found.response["violations"]]


@pytest.mark.parametrize(("size", "theme"), SHAPES)
def test_the_desk_is_accessible_and_never_scrolls_sideways(desk_of, mia, carl, size, theme):
    make_item("No idea whose this is", "triage")
    item = answerable("Where is my parcel?", "ben")
    actions.note(item.conversation, "Third one this week.", by=carl)
    shape = {"viewport": dict(zip(("width", "height"), size, strict=True)), "color_scheme": theme, "bypass_csp": True}
    page = desk_of(mia, "/inbox/", **shape)
    for path in ("/inbox/triage/", item.get_absolute_url(), "/search/?q=parcel", "/contacts/", "/nowhere/"):
        page.goto(path)
        assert violations(page) == [], path
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
    page.goto(item.get_absolute_url())
    page.keyboard.press("h")
    expect(page.locator("#dialog-hand-off")).to_be_visible()
    assert violations(page) == []


def test_the_door_is_accessible(desk_of):
    page = desk_of(None, "/sign-in/", bypass_csp=True)
    assert violations(page) == []


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_search_takes_the_keys_wherever_it_is_drawn(desk_of, carl, width):
    item = make_item("Where is my bike?")
    page = desk_of(carl, "/inbox/customer-service/", viewport={"width": width, "height": 800})
    page.keyboard.press("/")
    page.keyboard.type("bike")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=bike"))
    assert fresh(item).status == "open"
