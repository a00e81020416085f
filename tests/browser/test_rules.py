"""A rule built, published, put into order and tried by keyboard alone."""

import pytest
from playwright.sync_api import expect

from routing.models import RuleSet
from tests.browser.test_desk import violations

pytestmark = pytest.mark.django_db(transaction=True)


def rules():
    return RuleSet.objects.get(department=None).live.rules


def test_cora_builds_a_nested_rule_orders_and_tries_it_without_a_mouse(opens, arrives, cora):
    arrives("jonas_l", "@mirabelo the brake of my bike came broken")
    arrives("tinka", "@mirabelo lovely brake, thank you")
    page = opens(cora, "/routing/", bypass_csp=True)
    keys = page.keyboard
    press = lambda *names: [keys.press(name) for name in names]  # noqa: E731

    # A group within the condition, and what it would have found, while it is typed.
    page.get_by_role("link", name="New rule", exact=True).focus()
    press("Enter")
    page.get_by_label("Name").focus()
    keys.type("Broken bikes")
    page.locator("#typed-1-chips").focus()
    keys.type("brake, saddle,")
    expect(page.locator("#count")).to_contain_text("2 of the last 2 posts fit")
    page.locator("#group-0").focus()
    press("Enter")
    expect(page.locator(".chip-in").nth(1)).to_be_focused()
    keys.type("broken,")
    expect(page.locator("#count")).to_contain_text("1 of the last 2 posts fits")
    expect(page.locator("#count mark")).to_have_text(["brake", "broken"])
    expect(page.locator("#sentence")).to_contain_text("If the text contains brake or saddle, and")

    # A row is taken and carried into the group.
    page.locator("#grip-1").focus()
    press("Space", "ArrowDown")
    expect(page.locator("#moved")).to_contain_text("is 1 of 2 in Any of")
    expect(page.locator("#grip-1")).to_be_focused()
    press("Space")
    page.get_by_label("Place in").focus()
    keys.type("R&D")
    assert violations(page) == []
    page.get_by_role("button", name="Publish").focus()
    press("Enter")
    expect(page.locator(".toast")).to_contain_text("Version 2 is live. Added “Broken bikes”.")
    assert rules()[-1]["when"]["any"][0]["value"] == ["brake", "saddle"]

    # It goes before the others in one version, however many steps that takes; and that can be undone.
    uid, name = rules()[-1]["uid"], rules()[-1]["name"]
    page.locator(f"#order-{uid}").focus()
    press("Space", "ArrowUp", "ArrowUp")
    many = len(rules())
    expect(page.locator("#ordered")).to_have_text(f"{name}, place {many - 2} of {many}.")
    press("Space")
    expect(page.locator(".toast")).to_contain_text(f"Version 3 is live. Moved “{name}” to place {many - 2}.")
    assert rules()[-3]["uid"] == uid
    press("Control+z")
    expect(page.locator(".toast")).to_contain_text("Version 4 is live")
    assert rules()[-1]["uid"] == uid

    page.goto("/routing/try/")
    page.get_by_label("Text").focus()
    keys.type("My saddle wobbles")
    page.get_by_role("button", name="Try", exact=True).focus()
    press("Enter")
    expect(page.locator(".tried")).to_contain_text("R&D")
    expect(page.locator(".came-places")).to_contain_text(name)
    expect(page.locator(".ways").first).to_contain_text("if the text does not contain brake or saddle")
    assert violations(page) == []
