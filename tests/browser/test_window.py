"""The window that these tests share has nothing of one test left for the next."""

KEEP = """async () => {
  localStorage.setItem("kept", "1");
  sessionStorage.setItem("kept", "1");
  document.cookie = "kept=1";
  await (await caches.open("kept")).put("/kept", new Response("1"));
  await new Promise((done) => { indexedDB.open("kept").onsuccess = done; });
}"""
KEPT = """async () => [localStorage.length, sessionStorage.length, document.cookie,
  (await caches.keys()).length, (await indexedDB.databases()).length, navigator.onLine,
  matchMedia("(prefers-color-scheme: dark)").matches]"""
#: Where a page may use all kinds of storage.
SECURE = "https://nbner.test/"
NOTHING = [0, 0, "", 0, 0, True, False]


def open_page(context, world):
    page = context.new_page()
    world.serve(page, origin=SECURE)
    page.goto(SECURE)
    return page


def test_what_a_page_keeps_is_gone_with_it(context, world):
    page = open_page(context, world)
    assert page.evaluate(KEPT) == NOTHING
    page.evaluate(KEEP)
    page.emulate_media(color_scheme="dark")
    page.context.set_offline(True)
    assert page.evaluate(KEPT) == [1, 1, "kept=1", 1, 1, False, True]
    context.clear()
    assert page.is_closed()
    assert open_page(context, world).evaluate(KEPT) == NOTHING
