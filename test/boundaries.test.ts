import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const SOURCE = resolve(import.meta.dirname, "../src");

/** Which module may import which. A module that is not listed fails the test. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  internal: ["errors"],
  oci: ["errors", "internal"],
  tar: ["errors", "internal"],
  compress: ["errors", "internal"],
  tensor: ["errors"],
  model: ["errors", "tensor"],
  formats: ["errors", "internal", "tensor", "model"],
  registry: ["errors", "internal", "oci"],
  layout: ["errors", "internal", "oci", "tar"],
  store: ["errors", "internal", "oci"],
  copy: ["errors", "internal", "oci"],
  "registry-server": ["errors", "internal", "oci", "store"],
  engine: ["errors", "internal", "oci", "tar"],
  builder: ["errors", "internal", "oci", "tar", "compress"],
  pack: ["errors", "internal", "oci", "tar", "compress", "tensor", "model", "formats"],
  catalogue: ["errors", "oci", "model"],
  train: ["errors", "internal", "oci", "catalogue"],
  uai: ["errors", "internal", "oci", "formats", "catalogue"],
  protocol: ["errors", "internal", "tensor", "model", "runtime"], // of runtime only the types of the component contract
  runtime: ["errors", "internal", "tensor", "model"],
  serve: ["errors", "internal", "tensor", "model", "protocol", "runtime"],
  cli: ["*"],
};

/** Packages a module may import, and why it is the one that owns them. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  model: ["yaml", "@cfworker/json-schema"],
  pack: ["yauzl", "smol-toml"],
  serve: ["pino"],
  runtime: ["onnxruntime-node"],
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
    allowed: ["internal/process.ts", "runtime/python/"],
  },
  { what: "console", pattern: /\bconsole\.\w+\(/, allowed: ["cli/"] },
  {
    what: "the clock or random numbers in reproducible code",
    pattern: /Date\.now\(|Math\.random\(|new Date\(\)/,
    allowed: ["!oci/", "!tar/", "!pack/", "!compress/", "!builder/"],
  },
  {
    what: "process.env",
    pattern: /process\.env\b/,
    allowed: ["cli/", "registry/keychain", "internal/process.ts", "serve/main.ts"],
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
  return path.split("/")[0] ?? "";
}

test("the check sees the sources and their imports", () => {
  assert.ok(sources.length > 10, `saw ${sources.length} files`);
  assert.ok(imports.length > 10, `saw ${imports.length} imports`);
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
      const allowed = MAY_IMPORT[from] ?? [];
      return !(allowed.includes("*") || allowed.includes(to)) || target !== join(to, "index.ts");
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

test("no folder is nested deeper than module/sub/file", () => {
  assert.deepEqual(
    files.filter((name) => name.split("/").length > 3),
    [],
  );
});
