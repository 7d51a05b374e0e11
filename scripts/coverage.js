// Line coverage over all tiers: a line counts as covered when any tier ran it.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

/** Share of lines, in percent, that the tests must run: of everything, and of the modules that everything else trusts. */
const FLOORS = {
  all: 90,
  "ground/errors": 100,
  "images/oci": 100,
  "images/tar": 100,
  "models/tensor": 100,
  // the codecs: bytes to values and back
  "ground/wire": 100,
  "images/compress": 100,
  "serving/protocols/codecs": 100,
  "serving/protocols/json": 100,
};

/**
 * A field that a class declares without a value or with a constant. V8 has a function for such fields, and whether it reports that one as run depends on
 * how it was compiled: there is nothing to run on the line.
 */
const DECLARED_FIELD =
  /^\s+(?:(?:readonly|private|static) )*#?\w+(?:\??: [^=(]+;|(?:: [^=(]+)? = (?:\d+|true|false|"");)$/;

/** Collects the summaries of `node:test` runs and prints one table by module. */
export function createCoverage(root) {
  /** Path below src/ → line number → whether any run reached it. */
  const files = new Map();
  return {
    options: {
      coverage: true,
      coverageIncludeGlobs: ["src/**/*.ts"],
      coverageExcludeGlobs: ["**/*.test.ts"],
    },
    add(summary) {
      for (const { path, lines } of summary.files) {
        const name = relative(`${root}/src`, path);
        const known = files.get(name) ?? new Map();
        const fields = declaredFields(path);
        for (const { line, count } of lines)
          known.set(line, known.get(line) === true || count > 0 || fields.has(line));
        files.set(name, known);
      }
    },
    /** Prints the table. False when a floor is not met; floors hold only for a run of all tests. */
    report({ isWhole }) {
      const modules = sumByModule(files);
      process.stdout.write("\nline coverage:\n");
      const missed = [];
      for (const [name, { covered, total }] of [...modules].sort()) {
        const percent = (100 * covered) / total;
        const floor = FLOORS[name];
        const isLow = floor !== undefined && percent < floor;
        if (isLow) missed.push(name);
        process.stdout.write(
          `  ${percent.toFixed(1).padStart(5)} %  ${name}${floor === undefined ? "" : ` (floor ${floor} %)`}\n`,
        );
      }
      for (const name of missed) {
        process.stdout.write(`coverage of ${name} is below its floor\n`);
        if (FLOORS[name] === 100) printMissed(files, name);
      }
      return !isWhole || missed.length === 0;
    },
  };
}

/** Numbers of the lines of a file that only declare a field; comments between two of them count with them. */
function declaredFields(path) {
  const found = new Set();
  let comments = [];
  for (const [index, text] of readFileSync(path, "utf8").split("\n").entries()) {
    if (DECLARED_FIELD.test(text)) for (const line of [...comments, index + 1]) found.add(line);
    if (!/^\s+(?:\/?\*|\/\/)/.test(text)) comments = [];
    else comments.push(index + 1);
  }
  return found;
}

function sumByModule(files) {
  const modules = new Map([["all", { covered: 0, total: 0 }]]);
  for (const [name, lines] of files) {
    const key = moduleOf(name);
    for (const sum of [modules.get("all"), modules.get(key) ?? fresh(modules, key)]) {
      sum.total += lines.size;
      sum.covered += [...lines.values()].filter(Boolean).length;
    }
  }
  return modules;
}

function fresh(modules, key) {
  const sum = { covered: 0, total: 0 };
  modules.set(key, sum);
  return sum;
}

/** A module is two folders deep; a folder with a floor of its own counts by itself. */
function moduleOf(name) {
  const folders = name.split("/").slice(0, -1);
  const own = folders.slice(0, 3).join("/");
  return own in FLOORS ? own : folders.slice(0, 2).join("/") || name;
}

/** Lines that no test ran, by file. */
function printMissed(files, module) {
  for (const [name, lines] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const missed = [...lines].filter(([, isRun]) => !isRun).map(([line]) => line);
    if (moduleOf(name) === module && missed.length > 0)
      process.stdout.write(`  src/${name}: ${missed.sort((a, b) => a - b).join(" ")}\n`);
  }
}
