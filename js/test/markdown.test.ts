import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseInline, parseMarkdown, webAddress, type Block } from "../src/annotator/model/markdown";

const parse = (text: string): Block[] => [...parseMarkdown(text)];

describe("Markdown of a guideline", () => {
  test("headings, paragraphs, lists, quotes, code, rules and tables", () => {
    const text = [
      "# Rules #",
      "One",
      "and the same.",
      "",
      "- first",
      "  goes on",
      "  - inner",
      "2. second",
      "> quoted",
      "> # Inner",
      "```py",
      "# no heading",
      "```",
      "---",
      "| Label | Covers |",
      "| --- | :-: |",
      "| Dish | a \\| b |",
    ].join("\n");
    assert.deepEqual(parse(text), [
      { kind: "heading", level: 1, content: ["Rules"] },
      { kind: "paragraph", content: ["One and the same."] },
      {
        kind: "list",
        items: [
          { depth: 0, sign: "•", content: ["first goes on"] },
          { depth: 1, sign: "•", content: ["inner"] },
          { depth: 0, sign: "2.", content: ["second"] },
        ],
      },
      {
        kind: "quote",
        blocks: [
          { kind: "paragraph", content: ["quoted"] },
          { kind: "heading", level: 1, content: ["Inner"] },
        ],
      },
      { kind: "code", text: "# no heading" },
      { kind: "rule" },
      { kind: "table", head: [["Label"], ["Covers"]], rows: [[["Dish"], ["a | b"]]] },
    ]);
  });

  test("two spaces or a backslash break a line", () => {
    const [block] = parse("one  \ntwo\\\nthree\nfour");
    assert.deepEqual(block, { kind: "paragraph", content: ["one\ntwo\nthree four"] });
  });

  test("emphasis, code, escapes and links", () => {
    assert.deepEqual(parseInline("a **b *c*** d"), [
      "a ",
      { mark: "strong", content: ["b ", { mark: "em", content: ["c"] }] },
      " d",
    ]);
    assert.deepEqual(parseInline("`**x**` and ``a`b``"), [
      { mark: "code", text: "**x**" },
      " and ",
      { mark: "code", text: "a`b" },
    ]);
    assert.deepEqual(parseInline("2 * 3 * 4, snake_case_name, \\*no\\*"), ["2 * 3 * 4, snake_case_name, *no*"]);
    const link = { mark: "link", href: "https://a.test/b", content: ["here"] };
    assert.deepEqual(parseInline("[here](https://a.test/b)"), [link]);
    assert.deepEqual(parseInline("see https://a.test/b."), ["see ", { ...link, content: ["https://a.test/b"] }, "."]);
  });

  test("only addresses of the web become links", () => {
    for (const href of [
      "javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      "java\tscript:alert(1)",
      " javascript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "//evil.test",
      "file:///etc/passwd",
      "/relative",
      "http:evil",
      "https://",
    ]) {
      assert.equal(webAddress(href), null, href);
      assert.ok(!JSON.stringify(parseInline(`[click](${href})`)).includes('"link"'), href);
    }
    assert.equal(webAddress("HTTP://A.test/x"), "http://a.test/x");
  });

  test("HTML and images stay text", () => {
    const html = '<script>alert(1)</script><img src=x onerror="alert(1)">';
    assert.deepEqual(parse(html), [{ kind: "paragraph", content: [html] }]);
    assert.deepEqual(parseInline("![a chart](https://a.test/x.png)"), ["a chart"]);
  });

  test("a link in a link is one link", () => {
    const [outer] = parseInline("[a https://b.test c](https://a.test/)");
    assert.deepEqual(outer, { mark: "link", href: "https://a.test/", content: ["a ", "https://b.test", " c"] });
  });

  test("whatever is written ends, and keeps its words", () => {
    for (const text of ["", "\n\n", "```", "|", "| a |\n|---|", "*", "**", "[", "](", "> > > > > > deep", "#", "- ", "1. x\n\t\n- y"]) {
      parse(text);
    }
    assert.deepEqual(parse("- a\n\n- b").length, 2);
    assert.equal(parse("| a |\n|---|").length, 1);
  });

  test("ten thousand lines, and a pathological one, are parsed quickly", () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `- rule **${i}** with *emphasis* and [a link](https://a.test/${i})`);
    const from = performance.now();
    const blocks = parse(lines.join("\n"));
    assert.equal(blocks.length, 100, "in parts of a hundred items");
    parse("*a ".repeat(100_000));
    parse("`".repeat(4_999));
    parse("[".repeat(4_999));
    assert.ok(performance.now() - from < 3_000);
  });
});
