// A scripted annotator: it knows the gold, looks at the page as a person does,
// and counts its key presses. A key with others held down counts once.
(() => {
  const root = () => document.querySelector("[data-nbner]");
  const all = (selector) => [...root().querySelectorAll(selector)];
  let presses = 0;

  const press = (key, held = {}, code = key) => {
    presses += 1;
    root().dispatchEvent(
      new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...held }),
    );
  };

  const pressLabel = (index) => {
    const digit = String((index + 1) % 10);
    press(digit, { shiftKey: index >= 10, altKey: index >= 20 }, `Digit${digit}`);
  };

  const caret = () => {
    const found = root().querySelector("[data-caret]");
    return found === null ? -1 : Number(found.dataset.token);
  };
  const spans = () =>
    all("[data-span]")
      .map(({ dataset }) => [...dataset.span.split(":").map(Number), dataset.label])
      .sort((a, b) => a[0] - b[0]);

  /** Token by token, from an end of the text, or line by line: whatever takes fewest presses. */
  const ways = (from, target, tokens) => {
    const key = target > from ? "ArrowRight" : "ArrowLeft";
    const found = [
      { cost: Math.abs(target - from), key },
      { cost: 1 + tokens.length - 1 - target, key: "End", held: { ctrlKey: true } },
    ];
    if (from < 0) return found;
    const boxes = tokens.map((token) => token.getClientRects()[0]);
    const lines = [...new Set(boxes.map(({ top }) => Math.round(top / 8)))];
    const lineOf = (token) => lines.indexOf(Math.round(boxes[token].top / 8));
    const apart = lineOf(target) - lineOf(from);
    if (apart !== 0) {
      const x = boxes[from].left + boxes[from].width / 2;
      const off = (token) => Math.abs(boxes[token].left + boxes[token].width / 2 - x);
      const onLine = tokens.map((_, i) => i).filter((i) => lineOf(i) === lineOf(target));
      const landing = onLine.reduce((a, b) => (off(b) < off(a) ? b : a));
      const cost = Math.abs(apart) + Math.abs(target - landing);
      found.push({ cost, key: apart > 0 ? "ArrowDown" : "ArrowUp" });
    }
    return found;
  };

  const goTo = (target) => {
    const tokens = all("[data-token]");
    for (let step = 0; caret() !== target; step += 1) {
      if (step > 2 * tokens.length + 4) throw new Error(`lost on the way to ${target}`);
      const { key, held } = ways(caret(), target, tokens).reduce((a, b) => (b.cost < a.cost ? b : a));
      press(key, held);
    }
  };

  /** Goes from span to span to one that stands there, and has it selected as a whole. */
  const goToSpan = ([start]) => {
    const from = caret();
    const starts = spans().map(([one]) => one);
    const ahead = starts.filter((one) => one > from && one <= start).length;
    const behind = starts.filter((one) => one < from && one >= start).length;
    for (let i = 0; i < ahead; i += 1) press("Tab");
    for (let i = 0; i < behind; i += 1) press("Tab", { shiftKey: true });
  };

  const same = (a, b) => a[0] === b[0] && a[1] === b[1];
  const meets = (a, b) => a[0] < b[1] && b[0] < a[1];
  const selection = () => {
    const tokens = all("[data-selected]").map(({ dataset }) => Number(dataset.token));
    return [Math.min(...tokens), Math.max(...tokens) + 1];
  };

  const select = ([start, end]) => {
    // Out of a span that is selected as a whole, before one of its tokens can be.
    if (all("[data-selected]").length > 1 && meets([start, end], selection())) press("ArrowRight");
    const from = caret();
    const isBehind = from >= end && from - (end - 1) < Math.abs(from - start);
    goTo(isBehind ? end - 1 : start);
    for (let i = 0; i < end - start - 1; i += 1)
      press(isBehind ? "ArrowLeft" : "ArrowRight", { shiftKey: true });
  };

  /** Turns what stands in the page into the gold, accepts it, and tells what that took. */
  window.annotate = (gold, labels) => {
    presses = 0;
    const start = spans();
    const isRight = (span) => start.some((one) => same(one, span) && one[2] === span[2]);
    const missing = gold.filter((span) => !isRight(span));
    const spare = start.filter((one) => !gold.some((span) => meets(one, span)));
    const work = [
      ...missing.map((span) => ({ span, label: labels.indexOf(span[2]) })),
      ...spare.map((span) => ({ span, label: null })),
    ].sort((a, b) => a.span[0] - b.span[0]);
    for (const { span, label } of work) {
      if (spans().some((one) => same(one, span))) goToSpan(span);
      else select(span);
      // A label given to one token of a longer span would go to all of that span.
      const isInside = (one) => meets(one, span) && one[1] - one[0] > 1;
      if (span[1] - span[0] === 1 && spans().some(isInside)) press("Delete");
      if (label === null) press("Delete");
      else pressLabel(label);
    }
    const done = JSON.stringify(spans()) === JSON.stringify(gold);
    press("a");
    return { presses, done, start, missing, spare };
  };
})();
