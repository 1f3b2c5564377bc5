// Bundles the front end into the Python package; with --tests, the tests into dist/.
import { readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../nbner/widgets/static");

const shared = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  format: "esm",
  logLevel: "warning",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
};

async function bundlePackage() {
  rmSync(out, { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: [
      { in: "src/index.ts", out: "annotator" },
      { in: "src/style/index.css", out: "annotator" },
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

await (process.argv.includes("--tests") ? bundleTests() : bundlePackage());
