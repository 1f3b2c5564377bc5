/** Rules about which source file may import which, type-only imports included. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

const SOURCE = new URL("../src/", import.meta.url);

/** The folders that each folder may import from, besides itself; entry points may import anything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  annotator: ["shared"],
  errorExplorer: ["annotator", "shared"],
  traceViewer: ["shared"],
  tryPage: ["shared"],
};

const FILES = readdirSync(SOURCE, { recursive: true })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"));

/** The files of ours that a file imports. */
function importsOf(file: string): readonly string[] {
  const source = readFileSync(new URL(file, SOURCE), "utf8");
  const specifiers = [...source.matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, path]) => path as string);
  const root = SOURCE.href;
  return specifiers.map((path) => `${new URL(path, root + file).href.slice(root.length)}.ts`);
}

const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

/** Find a chain of imports that comes back to its beginning; null where there is none. */
function findCycle(): readonly string[] | null {
  const done = new Set<string>();
  const search = (file: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of IMPORTS.get(file) ?? []) {
      const cycle = search(next, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  return FILES.map((file) => search(file, [])).find((cycle) => cycle !== null) ?? null;
}

describe("imports", () => {
  test("every import names a file that exists", () => {
    const missing = [...IMPORTS].flatMap(([file, paths]) =>
      paths.filter((path) => !IMPORTS.has(path)).map((path) => `${file} -> ${path}`),
    );
    assert.deepEqual(missing, []);
    assert.ok(IMPORTS.get("annotator.ts")?.includes("shared/jupyter.ts"));
  });

  test("no file imports itself by way of others", () => {
    assert.deepEqual(findCycle(), null);
  });

  test("folders import only from the folders below them", () => {
    const wrong = [...IMPORTS].flatMap(([file, paths]) => {
      const [folder = "", inside] = file.split("/");
      if (inside === undefined) return [];
      const allowed = [folder, ...(ALLOWED[folder] ?? [])];
      return paths.filter((path) => !allowed.includes(path.split("/")[0] as string)).map((path) => `${file} -> ${path}`);
    });
    assert.deepEqual(wrong, []);
  });

  test("the annotator's model knows nothing of its view", () => {
    const wrong = [...IMPORTS].filter(
      ([file, paths]) => file.startsWith("annotator/model/") && paths.some((path) => path.startsWith("annotator/view/")),
    );
    assert.deepEqual(wrong, []);
  });
});
