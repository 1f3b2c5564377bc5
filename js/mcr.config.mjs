// What of src/ the tests in Node run, and the floor below which they fail: `npm test`.
//
// The views are left out as long as no test in Node loads them: a browser does,
// ../tests/browser.
const FLOOR = 88; // percent of lines and branches together, as coverage.py counts them

export default {
  name: "Front end",
  logging: "error",
  outputDir: "dist/coverage",
  reports: [["console-details", { metrics: ["lines", "branches"], skipPercent: FLOOR }]],
  entryFilter: "**/dist/*.test.js",
  sourceFilter: (path) => path.startsWith("src/"),
  onEnd: ({ summary: { lines, branches } }) => {
    const share = (100 * (lines.covered + branches.covered)) / (lines.total + branches.total);
    const figures = `lines ${lines.pct} %, branches ${branches.pct} %, together ${share.toFixed(2)} %`;
    console.log(`Coverage of the front end in Node: ${figures}; the floor is ${FLOOR} %`);
    if (share < FLOOR) {
      console.error("FAILED: the coverage is below its floor (js/mcr.config.mjs)");
      process.exitCode = 1;
    }
  },
};
