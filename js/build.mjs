// Bundles the front end into the Python package; with --tests, the tests into dist/; with
// --try FILE, the page that needs no kernel into one file.
//
// bundles.json lists the widgets. Each has a script and a style of its name,
// src/NAME.ts and src/NAME.css, and becomes NAME.js and NAME.css. NAME.loader.js stands in
// for both in a page that has loaded them already.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../nbner/widgets/static");
const bundles = JSON.parse(readFileSync(join(here, "bundles.json"), "utf8"));

/** Return a hash of the sources and of the locked dependencies. */
function buildOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const paths = files.map((one) => join(one.parentPath ?? one.path, one.name)).sort();
  const hash = createHash("sha256");
  [...paths, join(here, "package-lock.json")].forEach((path) => hash.update(readFileSync(path)));
  return hash.digest("hex").slice(0, 16);
}

const buildId = buildOf(join(here, "src"));

const shared = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  define: { BUILD: JSON.stringify(buildId), WIDGET: '""' },
  format: "esm",
  logLevel: "warning",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
};

async function bundlePackage() {
  rmSync(out, { recursive: true, force: true });
  await Promise.all(bundles.map((name) => bundleWidget(name)));
}

function bundleWidget(name) {
  return build({
    ...shared,
    define: { BUILD: JSON.stringify(buildId), WIDGET: JSON.stringify(name) },
    // By this a page knows the style that it has.
    banner: { css: `/*nbner ${name} ${buildId}*/` },
    entryPoints: [
      { in: `src/${name}.ts`, out: name },
      { in: `src/${name}.css`, out: name },
      // The trace viewer's kernel side does not answer messages, so that it is sent whole.
      ...(name === "trace" ? [] : [{ in: "src/loader.ts", out: `${name}.loader` }]),
    ],
    outdir: out,
    minify: true,
  });
}

async function bundleTests() {
  const dist = join(here, "dist");
  rmSync(dist, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...shared,
    entryPoints: tests.map((name) => `test/${name}`),
    outdir: dist,
    platform: "node",
    target: ["node18"],
    sourcemap: "inline",
  });
}

/** Bundle the page to try the widgets without a kernel into one file. */
async function bundleTryPage(outfile) {
  await build({ ...shared, entryPoints: ["src/tryPage.ts"], outfile, minify: true });
}

const [command, file] = process.argv.slice(2);
await (command === "--tests" ? bundleTests() : command === "--try" ? bundleTryPage(file) : bundlePackage());
