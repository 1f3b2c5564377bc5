/** Renders parsed Markdown, block by block. Text becomes text nodes; hosts style plain elements least. */
import { createElement } from "../../shared/dom";
import { parseMarkdown, type Block, type Inline, type ListItem } from "../model/markdown";

/** Milliseconds of a frame that are spent on blocks. */
const BUDGET = 8;
/** Blocks that are laid out together, and only when they come into view. */
const BATCH = 40;

/**
 * Render a text into an element: what fits into a frame at once, the rest in those that follow.
 *
 * @returns What ends the rendering.
 */
export function renderMarkdown(place: HTMLElement, text: string): () => void {
  const blocks = parseMarkdown(text);
  let frame = 0;
  let batch: HTMLElement | null = null;
  const step = (): void => {
    const end = performance.now() + BUDGET;
    while (performance.now() < end) {
      const { value, done } = blocks.next();
      if (done === true || value === undefined) return;
      if (batch === null || batch.childElementCount >= BATCH) {
        batch = createElement("div", "md-batch");
        place.append(batch);
      }
      batch.append(renderBlock(value));
    }
    frame = requestAnimationFrame(step);
  };
  place.replaceChildren();
  step();
  return () => cancelAnimationFrame(frame);
}

function renderBlock(block: Block): HTMLElement {
  switch (block.kind) {
    case "heading": {
      const attributes = { role: "heading", "aria-level": String(Math.min(6, block.level + 2)) };
      return createElement("div", `md-heading md-level-${block.level}`, attributes, ...renderInline(block.content));
    }
    case "paragraph":
      return createElement("div", "md-paragraph", {}, ...renderInline(block.content));
    case "code":
      return createElement("div", "md-code-block", {}, block.text);
    case "quote":
      return createElement("div", "md-quote", { role: "blockquote" }, ...block.blocks.map(renderBlock));
    case "list":
      return createElement("div", "md-list", { role: "list" }, ...block.items.map(renderItem));
    case "table": {
      const cells = (row: typeof block.head, role: string): HTMLElement[] =>
        row.map((one) => createElement("div", "md-cell", { role }, ...renderInline(one)));
      const head = createElement("div", "md-row md-table-head", { role: "row" }, ...cells(block.head, "columnheader"));
      const rows = block.rows.map((row) => createElement("div", "md-row", { role: "row" }, ...cells(row, "cell")));
      return createElement("div", "md-table", { role: "table" }, head, ...rows);
    }
    case "rule":
      return createElement("div", "md-rule", { role: "separator" });
  }
}

function renderItem({ depth, sign, content }: ListItem): HTMLElement {
  const element = createElement(
    "div",
    "md-item",
    { role: "listitem", "aria-level": String(depth + 1) },
    createElement("span", "md-sign", {}, sign),
    createElement("div", "md-item-text", {}, ...renderInline(content)),
  );
  element.style.setProperty("--nbner-depth", String(depth));
  return element;
}

function renderInline(content: readonly Inline[]): (Node | string)[] {
  return content.map((one) => {
    if (typeof one === "string") return one;
    if (one.mark === "code") return createElement("span", "md-code", {}, one.text);
    if (one.mark !== "link") return createElement(one.mark, "", {}, ...renderInline(one.content));
    const attributes = { href: one.href, target: "_blank", rel: "noopener noreferrer" };
    return createElement("a", "md-link", attributes, ...renderInline(one.content));
  });
}
