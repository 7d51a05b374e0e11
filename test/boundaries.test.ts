import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const SOURCE = resolve(import.meta.dirname, "../src");

/** Private functions of one name, in this many files at the most: a reader has to find the one that is called. */
const MAX_NAMESAKES = 9;
/** Names that once stood for a dozen things each. */
const WORN_NAMES: ReadonlySet<string> = new Set(["textOf", "listOf", "describe", "factsOf"]);
/** Names of types that say what a value does in a sentence, and nothing of what it holds. */
const WORN_TYPES: ReadonlySet<string> = new Set(["Place", "Found", "Asked", "About"]);

/** Floors from the bottom up. A module may import modules of the floors named here, and of its own floor those of MAY_IMPORT. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  models: ["ground"],
  images: ["ground", "models"],
  serving: ["ground", "models"],
  jobs: ["ground", "models", "images"],
  app: ["ground", "models", "images", "jobs", "serving"],
  cli: [], // see COMMANDS_MAY_IMPORT
};

/** The command line knows the use cases, errors, and the entry of the server. */
const COMMANDS_MAY_IMPORT: readonly string[] = [
  "app",
  "app/curves",
  "app/shown",
  "ground/errors",
  "serving/server",
];

/** Which modules of its own floor a module may import. A module that is not listed fails the test. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "ground/errors": [],
  "ground/bytes": ["errors"],
  "ground/process": ["errors", "bytes"],
  "ground/wire": ["errors", "bytes"],
  "ground/http": ["errors", "bytes", "process"],
  "models/tensor": [],
  "models/description": ["tensor"],
  "models/kinds": ["tensor", "description", "answers", "tensorflow", "python-source"],
  "models/python-source": [],
  "models/repository": ["description"],
  "models/tensorflow": [],
  "models/export": ["tensorflow"],
  "models/fetch": [],
  "models/inputs": ["tensor", "description"],
  "models/answers": ["tensor", "description", "inputs"],
  "images/oci": [],
  "images/tar": [],
  "images/compress": [],
  "images/registry": ["oci"],
  "images/layout": ["oci", "tar"],
  "images/store": ["oci"],
  "images/copy": ["oci"],
  "images/registry-server": ["oci", "store"],
  "images/engine": ["oci", "tar"],
  "images/bases": ["oci", "tar", "compress"],
  "images/python-packages": ["oci", "tar", "compress"],
  "images/recipe": ["oci", "tar", "compress", "python-packages"],
  "images/dockerfile": ["oci", "tar", "recipe"],
  "images/pack": ["oci", "tar", "python-packages", "recipe"],
  "serving/plane": [],
  "serving/metrics": ["plane"],
  "serving/transport": ["plane"],
  "serving/protocols": ["plane", "metrics", "transport"],
  "serving/calls": [],
  "serving/clients": ["calls"],
  "serving/page": ["plane", "transport", "protocols"],
  "serving/runtime": ["plane"],
  "serving/graph": ["plane", "metrics", "transport", "protocols"],
  "serving/server": ["plane", "metrics", "transport", "protocols", "runtime", "graph", "page"],
  "jobs/catalogue": [],
  "jobs/kubernetes": [],
  "jobs/train": ["catalogue", "kubernetes"],
  "jobs/uai": ["catalogue"],
  app: ["shown"],
  "app/curves": [],
  "app/shown": [],
  cli: [],
};

/** Packages a module may import, and why it is the one that owns them. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  "models/description": ["yaml", "@cfworker/json-schema"],
  "images/python-packages": ["yauzl", "smol-toml"],
  // compressors that Node lacks: joblib's files, archives that a Dockerfile adds
  "ground/bytes": ["unbzip2-stream", "xz-decompress"],
  // XML of PMML, read as a stream; archives of Keras, PyTorch, skops and NumPy
  "models/kinds": ["sax", "yauzl"],
  // signatures of S3 requests (24 kB, no dependency); zip archives; lists of a bucket's objects, which are XML
  "models/fetch": ["aws4fetch", "yauzl", "sax"],
  // decoders of pictures: Chrome's and Cloudflare's own in WebAssembly, for every platform; GIF in 20 KB of JavaScript
  "models/inputs": ["@jsquash/jpeg", "@jsquash/png", "@jsquash/webp", "omggif"],
  "serving/server": ["pino"],
  "serving/runtime": ["onnxruntime-node"],
  cli: ["commander"],
};

/** Modules that may use a sharp tool; everywhere else it is refused. */
const SHARP: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly allowed: readonly string[];
}[] = [
  {
    what: "node:child_process",
    pattern: /from "node:child_process"/,
    allowed: ["ground/process/process.ts", "serving/runtime/python/"],
  },
  { what: "console", pattern: /\bconsole\.\w+\(/, allowed: ["cli/"] },
  {
    what: "the clock or random numbers in reproducible code",
    pattern: /Date\.now\(|Math\.random\(|new Date\(\)/,
    allowed: [
      "!images/oci/",
      "!images/tar/",
      "!images/pack/",
      "!images/recipe/",
      "!images/python-packages/",
      "!images/compress/",
      "!images/bases/",
      "!images/dockerfile/",
    ],
  },
  {
    what: "process.env",
    pattern: /process\.env\b/,
    allowed: [
      "cli/",
      "images/registry/keychain",
      "ground/process/process.ts",
      "serving/server/run-entry.ts",
    ],
  },
];

interface Import {
  readonly file: string;
  readonly specifier: string;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .sort();
const sources = files.filter((name) => !/\.(prop\.)?test\.ts$/.test(name) && name !== "index.ts");
const IMPORT = /^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"([^"]+)";|\bimport\(\s*"([^"]+)"/gm;
const imports: Import[] = sources.flatMap((file) =>
  [...readFileSync(join(SOURCE, file), "utf8").matchAll(IMPORT)].map((match) => ({
    file,
    specifier: match[1] ?? match[2] ?? "",
  })),
);

function moduleOf(path: string): string {
  const [floor = "", name = ""] = path.split("/");
  return `${floor}/${name}` in MAY_IMPORT ? `${floor}/${name}` : floor;
}

function mayImport(from: string, to: string): boolean {
  if (from === "cli") return COMMANDS_MAY_IMPORT.includes(to);
  const [floor = ""] = from.split("/");
  const [toFloor = "", name = ""] = to.split("/");
  const allowed = floor === toFloor ? MAY_IMPORT[from] : FLOORS[floor];
  return (
    allowed !== undefined &&
    (allowed.includes("*") || allowed.includes(floor === toFloor ? name : toFloor))
  );
}

test("the check sees the sources and their imports", () => {
  assert.ok(sources.length > 540, `saw ${sources.length} files`);
  assert.ok(imports.length > 2000, `saw ${imports.length} imports`);
});

test("every module is listed in the table", () => {
  const unknown = [...new Set(sources.map(moduleOf))].filter((name) => !(name in MAY_IMPORT));
  assert.deepEqual(unknown, []);
});

test("arrows between modules point down and end at the module's one entry", () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ file, specifier }) => ({
      file,
      target: relative(SOURCE, resolve(SOURCE, dirname(file), specifier)),
    }))
    .filter(({ file, target }) => {
      const from = moduleOf(file);
      const to = moduleOf(target);
      if (from === to) return false;
      return !mayImport(from, to) || target !== join(to, "index.ts");
    });
  assert.deepEqual(wrong, []);
});

test("third-party packages are imported by their owners only", () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (specifier.startsWith(".") || specifier.startsWith("node:")) return false;
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    return !(MAY_USE[moduleOf(file)] ?? []).includes(name);
  });
  assert.deepEqual(wrong, []);
});

for (const { what, pattern, allowed } of SHARP) {
  test(`${what}: used only where it belongs`, () => {
    const denied = allowed.filter((entry) => entry.startsWith("!")).map((entry) => entry.slice(1));
    const isAllowed = (file: string): boolean =>
      denied.length > 0
        ? !denied.some((prefix) => file.startsWith(prefix))
        : allowed.some((prefix) => file.startsWith(prefix));
    const wrong = sources.filter(
      (file) => !isAllowed(file) && pattern.test(readFileSync(join(SOURCE, file), "utf8")),
    );
    assert.deepEqual(wrong, []);
  });
}

test("no folder is nested deeper than floor/module/sub/file", () => {
  assert.deepEqual(
    files.filter((name) => name.split("/").length > 4),
    [],
  );
});

test("few files take the whole session: the others say what they need of it", () => {
  const whole = sources.filter(
    (file) =>
      /^(?:app|cli)\//.test(file) &&
      /import (?:type )?\{[^}]*\bSession\b[^}]*\} from/.test(
        readFileSync(join(SOURCE, file), "utf8"),
      ),
  );
  assert.ok(whole.length > 0 && whole.length <= 10, whole.join(", "));
});

test("private functions have names that can be searched for", () => {
  const where = new Map<string, string[]>();
  for (const file of sources)
    for (const [, name = ""] of readFileSync(join(SOURCE, file), "utf8").matchAll(
      /^(?:async )?function\*? (\w+)/gm,
    ))
      where.set(name, [...(where.get(name) ?? []), file]);
  assert.ok(where.size > 1000);
  const worn = [...where].filter(
    ([name, found]) => found.length > MAX_NAMESAKES || WORN_NAMES.has(name),
  );
  assert.deepEqual(Object.fromEntries(worn), {});
});

test("types are named by what they hold", () => {
  const names = sources.flatMap((file) =>
    [
      ...readFileSync(join(SOURCE, file), "utf8").matchAll(
        /^(?:export )?(?:interface|type|class) (\w+)/gm,
      ),
    ].map(([, name = ""]) => ({ file, name })),
  );
  assert.ok(names.length > 1000);
  assert.deepEqual(
    names.filter(({ name }) => WORN_TYPES.has(name)),
    [],
  );
});

test("no folder holds more than 4,000 lines of source", () => {
  const lines = new Map<string, number>();
  for (const file of sources) {
    const folder = dirname(file);
    const count = readFileSync(join(SOURCE, file), "utf8").split("\n").length;
    lines.set(folder, (lines.get(folder) ?? 0) + count);
  }
  assert.deepEqual(
    [...lines].filter(([, count]) => count > 4000),
    [],
  );
});
