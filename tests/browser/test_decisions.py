"""Decisions, undo, the state of saving, what stands at the ends of the queue."""

import pytest
from playwright.sync_api import expect


def tasks(world, count):
    return [world.task(i, f"Uber left town {i}") for i in range(count)]


@pytest.fixture
def shown(host, world):
    return host.open(*tasks(world, 30))


def saving(host):
    return host.root.locator("[data-save]")


@pytest.mark.parametrize(("key", "answer"), [("a", "accept"), ("x", "reject"), ("Space", "ignore")])
def test_keys_and_buttons_decide_alike(shown, key, answer):
    shown.press(key)
    expect(shown.root).to_have_attribute("data-example", "1")
    shown.button(answer).click()
    expect(shown.root).to_have_attribute("data-example", "2")
    expect(saving(shown)).to_have_attribute("data-save", "saved")
    assert [shown.stored(str(i))["answer"] for i in range(2)] == [answer, answer]
    expect(shown.root.get_by_text("2 of 30", exact=True)).to_be_visible()


def test_buttons_stand_in_prodigys_order(shown):
    order = shown.root.locator("[data-answer]").evaluate_all(
        "all => all.map(one => one.dataset.answer)"
    )
    assert order == ["accept", "reject", "ignore", "undo"]


def test_the_last_decision_is_taken_back_and_given_again(shown):
    shown.press("ArrowRight", "1", "a", "Backspace")
    expect(shown.root).to_have_attribute("data-example", "0")
    expect(shown.mark(0, 1)).to_be_visible()
    assert shown.stored("0")["answer"] is None
    shown.press("Control+Shift+z")
    expect(shown.root).to_have_attribute("data-example", "1")
    shown.button("undo").click()
    expect(shown.root).to_have_attribute("data-example", "0")
    shown.press("Control+z")
    expect(shown.mark(0, 1)).to_have_count(0)
    shown.press("Control+y")
    expect(shown.mark(0, 1)).to_be_visible()


def test_leafing_back_shows_what_was_decided_and_an_edit_takes_it_back(shown):
    shown.press("x", ",")
    expect(shown.button("reject")).to_have_attribute("aria-pressed", "true")
    shown.press("ArrowRight", "1")
    expect(shown.button("reject")).to_have_attribute("aria-pressed", "false")
    expect(saving(shown)).to_have_attribute("data-save", "saved")
    assert shown.stored("0")["answer"] is None
    shown.press(".")
    expect(shown.root).to_have_attribute("data-example", "1")


def test_a_flag_is_seen_and_stored(shown):
    shown.press("f")
    expect(shown.root.get_by_role("button", name="Flag")).to_have_attribute("aria-pressed", "true")
    shown.press("a")
    expect(shown.root.get_by_role("button", name="Flag")).to_have_attribute("aria-pressed", "false")
    expect(saving(shown)).to_have_attribute("data-save", "saved")
    assert shown.stored("0")["flagged"] is True


def test_labelling_goes_on_while_the_kernel_is_busy(shown):
    shown.become("busy")
    shown.press(*"aaaaa")
    expect(shown.root).to_have_attribute("data-example", "5")
    expect(saving(shown)).to_have_attribute("data-save", "saving")
    expect(shown.root.get_by_text("5 of 30", exact=True)).to_be_visible()
    shown.become("well")
    expect(saving(shown)).to_have_attribute("data-save", "saved")


def test_a_silent_kernel_is_told_of_with_what_happens_next(host, world):
    host.page.clock.install()
    host.open(*tasks(world, 5))
    expect(saving(host)).to_have_attribute("data-save", "saved")
    host.become("gone")
    host.press("a")
    expect(saving(host)).to_have_attribute("data-save", "saving")
    host.page.clock.run_for(8_100)
    expect(saving(host)).to_have_attribute("data-save", "unsaved")
    why = (
        "The kernel is busy or gone: 1 answer is kept in this browser, "
        "to be sent as soon as it answers."
    )
    expect(host.root.get_by_role("status")).to_have_text(why)
    host.become("well")
    host.page.clock.run_for(20_000)
    expect(saving(host)).to_have_attribute("data-save", "saved")
    expect(host.root.get_by_role("status")).to_be_empty()
    assert host.stored("0")["answer"] == "accept"


def test_a_full_disk_is_told_of(shown):
    shown.become("failing")
    shown.press("a")
    expect(saving(shown)).to_have_attribute("data-save", "unsaved")
    expect(shown.root.get_by_role("status")).to_contain_text("The disk is full.")


def test_a_refused_answer_stands_open_again(shown):
    shown.press("ArrowRight", "1")
    shown.become("refusing")
    shown.press("a")
    expect(shown.root.get_by_role("status")).to_contain_text("This label is not known.")
    expect(shown.root).to_have_attribute("data-example", "0")
    expect(shown.mark(0, 1)).to_be_visible()


@pytest.mark.parametrize("status", ["restarting", "autorestarting", "dead"])
def test_a_restarted_kernel_is_told_of_at_once_and_nothing_is_lost(shown, status):
    shown.become("gone")
    shown.page.evaluate("(status) => host.model.status(status)", status)
    expect(saving(shown)).to_have_attribute("data-save", "unsaved")
    expect(shown.root.get_by_role("status")).to_contain_text(
        "The kernel was restarted: run the cell again."
    )
    shown.press("ArrowRight", "1", "a", "x")
    expect(shown.root.get_by_role("status")).to_contain_text("2 answers are kept in this browser")
    # The cell is run again: another model, with the old view still on the page.
    shown.become("well")
    shown.page.evaluate("host.open()")
    last = shown.page.locator("[data-nbner]").last
    expect(last).to_have_attribute("data-example", "2")
    expect(last.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert [shown.stored(str(i))["answer"] for i in range(2)] == ["accept", "reject"]


def test_answers_and_edits_survive_a_reload_of_the_page(shown, world):
    shown.become("gone")
    shown.press("ArrowRight", "1", "a", "ArrowRight", "2")
    expect(shown.mark(0, 1)).to_be_visible()
    shown.open(*tasks(world, 30))
    expect(shown.root).to_have_attribute("data-example", "1")
    expect(shown.mark(0, 1)).to_have_attribute("data-label", "PERSON")
    expect(saving(shown)).to_have_attribute("data-save", "saved")
    assert shown.stored("0")["spans"] == [[0, 1, "ORG"]]
    assert len(shown.page.evaluate("host.kernel.events")) == 1


def test_storage_that_is_forbidden_does_no_harm(host, world):
    host.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })"
    )
    host.open(*tasks(world, 3))
    host.press("a")
    expect(saving(host)).to_have_attribute("data-save", "saved")


def test_two_views_of_one_widget_agree(host, world):
    host.open(*tasks(world, 5), views=2)
    left, right = host.page.locator("[data-nbner]").all()
    left.focus()
    host.page.keyboard.press("ArrowRight")
    host.page.keyboard.press("2")
    expect(right.locator('[data-span="0:1"]')).to_have_attribute("data-label", "PERSON")
    expect(right.locator('[data-pick="PERSON"]')).to_have_attribute("aria-pressed", "true")
    right.focus()
    host.page.keyboard.press("a")
    expect(left).to_have_attribute("data-example", "1")
    expect(left.get_by_text("1 of 5", exact=True)).to_be_visible()
    assert len(host.sent()) == 1


def test_two_widgets_on_one_dataset_follow_each_other(host, world):
    host.open(*tasks(world, 5))
    host.page.evaluate("host.open()")
    left, right = host.page.locator("[data-nbner]").all()
    left.focus()
    host.page.keyboard.press("a")
    expect(right).to_have_attribute("data-example", "1")
    host.page.evaluate("host.kernel.answerElsewhere('1', 'reject')")
    expect(left).to_have_attribute("data-example", "2")
    expect(right).to_have_attribute("data-example", "2")
    expect(right.get_by_text("2 of 5", exact=True)).to_be_visible()


def test_a_closed_view_leaves_nothing_behind(host, world):
    host.page.goto(world.ORIGIN)
    host.page.wait_for_selector("html[data-ready]")
    before = host.page.evaluate("host.outside()")
    host.page.evaluate("(world) => host.start(world)", world.world(*tasks(world, 5), views=2))
    x, y = host.point(0, 0.5)
    host.page.mouse.move(x, y)
    host.page.mouse.down()
    assert host.page.evaluate("host.outside()") != before
    host.page.evaluate("host.closers.forEach((close) => close())")
    expect(host.page.locator("[data-nbner]")).to_have_count(0)
    # What wakes the page belongs to the widget, whose end comes after its views'.
    host.page.evaluate("host.end()")
    assert host.page.evaluate("host.outside()") == before
    assert host.page.evaluate("host.model.listenerCount") == 0
    host.page.mouse.up()


def test_a_closed_view_is_no_longer_painted(host, world):
    host.open(*tasks(world, 5), views=2)
    host.press("ArrowRight", "1")
    host.page.evaluate("window.closed = document.querySelector('[data-nbner]')")
    host.page.evaluate("host.closers[0]()")
    before = host.page.evaluate("window.closed.outerHTML")
    host.press("2", "f", "a")
    expect(host.root).to_have_attribute("data-example", "1")
    assert host.page.evaluate("window.closed.outerHTML") == before


def test_the_end_says_what_it_is_and_what_comes_next(host, world):
    host.open(*tasks(world, 1_200))
    host.page.evaluate(
        "host.kernel.tasks.slice(1).forEach((task) => (task.answer = 'accept')); host.kernel.tell("
        "{ type: 'refresh', ...host.kernel.snapshot })"
    )
    host.press("a")
    expect(
        host.root.get_by_text("All 1,200 examples of news · train are answered.")
    ).to_be_visible()
    expect(host.root.locator(".nbner-code")).to_have_text("session.train()")
    expect(host.root).not_to_have_attribute("data-example", "0")
    expect(host.button("accept")).to_have_attribute("aria-disabled", "true")
    host.press("a", "x", "1", "Delete", "ArrowRight", "ArrowDown", "End")
    host.press("Backspace")
    expect(host.root).to_have_attribute("data-example", "0")


def test_an_empty_queue_says_how_to_fill_it(host, world):
    host.open()
    expect(host.root.get_by_text("There is nothing in news · train yet.")).to_be_visible()
    expect(host.root.locator(".nbner-code")).to_have_text('session.add("texts.jsonl")')


def test_what_is_advised_names_the_split(host, world):
    host.open(split="frame")
    code = host.root.locator(".nbner-code")
    expect(code).to_have_text('session.add("texts.jsonl", split="frame")')
    host.open(world.task(1, "Soup", answer="accept"), split="frame")
    expect(code).to_have_text('session.train(split="frame")')


def test_an_empty_window_says_that_more_is_coming(shown):
    shown.become("busy")
    shown.press(*"a" * 12)
    expect(shown.root.get_by_text("are on their way")).to_be_visible()
    shown.become("well")
    expect(shown.root).to_have_attribute("data-example", "12")


def test_an_example_without_spans_says_what_accept_means(shown):
    hint = shown.root.get_by_text("accept says that there is no entity here")
    expect(hint).to_be_visible()
    shown.press("ArrowRight", "1")
    expect(hint).to_have_count(0)


def test_what_is_done_is_announced(shown):
    shown.press("ArrowRight", "1")
    live = shown.root.locator("[aria-live]")
    expect(live).to_have_text("Uber: ORG")
    shown.press("a")
    expect(live).to_have_text("Accepted. Open example, 0 spans. 1 of 30 answered.")
    expect(shown.root.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "1")


def test_a_message_stays_small(shown):
    shown.press("ArrowRight", "1", "a")
    expect(saving(shown)).to_have_attribute("data-save", "saved")
    size = shown.page.evaluate("JSON.stringify(host.kernel.messages.at(-1)).length")
    assert size < 512


def test_a_refused_answer_is_kept_where_it_can_be_seen_copied_and_discarded(shown):
    shown.page.evaluate(
        "() => { host.kernel.answer = () =>"
        " ({ type: 'failed', message: 'There is no such label.', retry: false }) }"
    )
    kept = shown.root.locator(".nbner-refused")
    expect(kept).to_be_hidden()
    shown.press("a")
    expect(shown.root.get_by_role("status")).to_contain_text("There is no such label.")
    expect(kept.locator("summary")).to_contain_text("1 answer could not be stored")
    kept.locator("summary").click()
    content = kept.locator(".nbner-refused-content")
    expect(content).to_contain_text('"type":"answer"')
    kept.locator("[data-refused=copy]").click()
    selected = shown.page.evaluate("() => String(getSelection())")
    assert "There is no such label." in selected
    kept.locator("[data-refused=discard]").click()
    expect(kept).to_be_hidden()
