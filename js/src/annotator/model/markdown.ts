/**
 * Parses the subset of Markdown that a guideline may use: headings, paragraphs, lists,
 * quotes, code, rules, tables, emphasis and links.
 *
 * The result is plain values. Markup other than this subset, HTML above all, stays the
 * text that it is, and a link leads to `http` and `https` only.
 */

export type Inline =
  | string
  | { readonly mark: "strong" | "em"; readonly content: readonly Inline[] }
  | { readonly mark: "code"; readonly text: string }
  | { readonly mark: "link"; readonly href: string; readonly content: readonly Inline[] };

export interface ListItem {
  /** How deep the item lies in the list, from 0. */
  readonly depth: number;
  /** The sign before the item: "•", or its number. */
  readonly sign: string;
  readonly content: readonly Inline[];
}

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly content: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly content: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly items: readonly ListItem[] }
  | { readonly kind: "table"; readonly head: Cells; readonly rows: readonly Cells[] }
  | { readonly kind: "rule" };

type Cells = readonly (readonly Inline[])[];

/** Characters of a block beyond which its marks stay as they are written. */
const MAX_INLINE = 5_000;
/** Quotes in quotes, and marks in marks. */
const MAX_DEPTH = 4;
/** Items of a list, or rows of a table, in one block: longer ones become several, so that each is drawn quickly. */
const MAX_ITEMS = 100;

const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const ITEM = /^([ \t]*)(?:([-*+])|(\d{1,9})[.)])[ \t]+(.*)$/;
const TABLE_LINE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Yield the blocks of a text, one after the other, so that the first can be shown before the last is read. */
export function* parseMarkdown(text: string, depth = 0): Generator<Block> {
  const lines = text.split("\n");
  let at = 0;
  const line = (): string => lines[at] ?? "";
  const takeWhile = (fits: (one: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && fits(line())) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const heading = HEADING.exec(line());
    const fence = FENCE.exec(line())?.[1];
    if (line().trim() === "") {
      at += 1;
    } else if (heading !== null) {
      at += 1;
      yield { kind: "heading", level: (heading[1] ?? "").length, content: parseInline(heading[2] ?? "") };
    } else if (fence !== undefined) {
      at += 1;
      const code = takeWhile((one) => !one.trimStart().startsWith(fence));
      at += 1;
      yield { kind: "code", text: code.join("\n") };
    } else if (RULE.test(line())) {
      at += 1;
      yield { kind: "rule" };
    } else if (QUOTE.test(line())) {
      const quoted = takeWhile((one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, ""));
      yield depth < MAX_DEPTH
        ? { kind: "quote", blocks: [...parseMarkdown(quoted.join("\n"), depth + 1)] }
        : { kind: "paragraph", content: [quoted.join("\n")] };
    } else if (ITEM.test(line())) {
      const isItem = (one: string): boolean => ITEM.test(one) && !RULE.test(one);
      const items = takeWhile((one) => isItem(one) || (/^[ \t]+\S/.test(one) && !FENCE.test(one)));
      for (const part of chunks(parseItems(items), MAX_ITEMS)) yield { kind: "list", items: part };
    } else if (line().includes("|") && TABLE_LINE.test(lines[at + 1] ?? "")) {
      const [head = "", , ...rows] = takeWhile((one) => one.includes("|"));
      // A table without rows is its head.
      for (const part of rows.length === 0 ? [[]] : chunks(rows, MAX_ITEMS)) {
        yield { kind: "table", head: parseCells(head), rows: part.map(parseCells) };
      }
    } else {
      const isFirst = at;
      const paragraph = takeWhile((one) => at === isFirst || !startsBlock(one));
      yield { kind: "paragraph", content: parseInline(joinLines(paragraph)) };
    }
  }
}

const startsBlock = (line: string): boolean =>
  line.trim() === "" || [HEADING, FENCE, QUOTE, RULE, ITEM].some((one) => one.test(line));

/** Join the lines of a paragraph; two spaces or a backslash at its end break a line. */
const joinLines = (lines: readonly string[]): string => {
  const isBreak = (line: string): boolean => / {2}$|\\$/.test(line);
  return lines.map((one, i) => (i === 0 ? "" : isBreak(lines[i - 1] ?? "") ? "\n" : " ") + one.replace(/\\$/, "").trim()).join("");
};

function parseItems(lines: readonly string[]): ListItem[] {
  const items: { indent: number; sign: string; text: string }[] = [];
  for (const one of lines) {
    const found = ITEM.exec(one);
    const last = items.at(-1);
    if (found !== null) {
      const [, indent = "", , number, text = ""] = found;
      const width = indent.replaceAll("\t", "    ").length;
      items.push({ indent: width, sign: number === undefined ? "•" : `${number}.`, text });
    } else if (last !== undefined) {
      last.text += ` ${one.trim()}`;
    }
  }
  const indents: number[] = [];
  return items.map(({ indent, sign, text }) => {
    while (indents.length > 0 && (indents.at(-1) as number) > indent) indents.pop();
    if (indents.length === 0 || (indents.at(-1) as number) < indent) indents.push(indent);
    return { depth: Math.min(indents.length - 1, MAX_DEPTH), sign, content: parseInline(text) };
  });
}

/** Split a line of a table at the bars that no backslash precedes. */
function parseCells(line: string): Cells {
  const cells = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/);
  return cells.map((one) => parseInline(one.trim().replaceAll("\\|", "|")));
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

const INLINE = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@[-${"`"}{-~])`,
    String.raw`(?<ticks>${"`"}+)(?<code>.+?)(?<!${"`"})\k<ticks>(?!${"`"})`,
    String.raw`\*\*(?=\S)(?<strong>.+?)(?<=\S)\*\*(?!\*)`,
    String.raw`(?<!\w)__(?=\S)(?<strong2>.+?)(?<=\S)__(?!\w)`,
    String.raw`\*(?=\S)(?<em>.+?)(?<=\S)\*`,
    String.raw`(?<!\w)_(?=\S)(?<em2>.+?)(?<=\S)_(?!\w)`,
    String.raw`(?<image>!?)\[(?<label>[^\]]*)\]\(\s*<?(?<href>[^)\s>]*)>?(?:\s+"[^"]*")?\s*\)`,
    String.raw`(?<url>https?://[^\s<>"]*[^\s<>"'.,;:!?)\]])`,
  ].join("|"),
  "gs",
);

/** Parse emphasis, code and links in a piece of text. */
export function parseInline(text: string, depth = 0): readonly Inline[] {
  if (text.length > MAX_INLINE || depth > MAX_DEPTH) return [text];
  const found: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) found.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    found.push(...inlineOf(match[0], match.groups ?? {}, depth + 1));
  }
  if (at < text.length) found.push(text.slice(at));
  return mergeTexts(found);
}

function inlineOf(
  whole: string,
  { escaped, code, strong, strong2, em, em2, image, label, href, url }: Record<string, string | undefined>,
  depth: number,
): readonly Inline[] {
  if (escaped !== undefined) return [escaped];
  if (code !== undefined) return [{ mark: "code", text: code.replace(/^ (.*\S.*) $/s, "$1") }];
  const bold = strong ?? strong2;
  if (bold !== undefined) return [{ mark: "strong", content: parseInline(bold, depth) }];
  const italic = em ?? em2;
  if (italic !== undefined) return [{ mark: "em", content: parseInline(italic, depth) }];
  if (url !== undefined) return linkTo(url, [url]);
  // Nothing is loaded for a guideline: of an image its description is shown.
  if (image === "!") return [label ?? ""];
  const content = label === undefined ? [whole] : withoutLinks(parseInline(label, depth));
  return linkTo(href ?? "", content.length === 0 ? [href ?? ""] : content);
}

/** Return a link, or its content alone where its address is not one of the web's. */
function linkTo(href: string, content: readonly Inline[]): readonly Inline[] {
  const address = webAddress(href);
  return address === null ? content : [{ mark: "link", href: address, content }];
}

/** Return an address in its normal form; null unless it is absolute and of `http` or `https`. */
export function webAddress(href: string): string | null {
  if (!/^https?:\/\//i.test(href)) return null;
  try {
    const { protocol, href: found } = new URL(href);
    return protocol === "http:" || protocol === "https:" ? found : null;
  } catch {
    return null;
  }
}

const withoutLinks = (content: readonly Inline[]): readonly Inline[] =>
  content.flatMap((one) => (typeof one !== "string" && one.mark === "link" ? one.content : [one]));

function mergeTexts(parts: readonly Inline[]): readonly Inline[] {
  const merged: Inline[] = [];
  for (const one of parts) {
    const last = merged.at(-1);
    if (typeof one === "string" && typeof last === "string") merged[merged.length - 1] = last + one;
    else merged.push(one);
  }
  return merged;
}
