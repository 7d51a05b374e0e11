import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "../../src/ground/process/index.ts";
import { writeTypescript } from "../../src/serving/clients/index.ts";
import { docBlocks } from "../support/doc-examples.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** What stands around an example in the sentence before it. */
const AROUND: readonly { readonly sign: RegExp; readonly before: string }[] = [
  { sign: /ModelClient/, before: 'import { ModelClient } from "./client.ts";\n' },
  {
    sign: /new WireFile/,
    before: `import { openReader } from "${ROOT}/src/ground/bytes/index.ts";\nimport { WireFile } from "${ROOT}/src/ground/wire/index.ts";\nconst names: string[] = [];\n`,
  },
];

test("every TypeScript example agrees with the types of what it names", async () => {
  const found = docBlocks().filter(({ language }) => language === "ts");
  assert.ok(found.length >= 4);
  const folder = join(ROOT, "node_modules/.cache/slipway-examples", String(process.pid));
  await mkdir(folder, { recursive: true });
  try {
    for (const [at, { text }] of found.entries()) {
      const before = AROUND.find(({ sign }) => sign.test(text))?.before ?? "";
      const source = text.replaceAll('"slipway/app"', JSON.stringify(`${ROOT}/src/app/index.ts`));
      await writeFile(join(folder, `example-${at}.ts`), `${before}${source}\nexport {};\n`);
    }
    const tensor = { datatype: "FP32", shape: [-1, 4] } as const;
    await writeFile(
      join(folder, "client.ts"),
      writeTypescript({
        madeBy: "a test",
        notes: [],
        models: [
          {
            name: "iris",
            inputs: [{ name: "x", ...tensor }],
            outputs: [{ name: "probabilities", ...tensor }],
          },
        ],
      }),
    );
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(ROOT, "tsconfig.json"),
        compilerOptions: {
          noUnusedLocals: false,
          noUncheckedIndexedAccess: false, // as in most projects of users
          isolatedDeclarations: false,
          declaration: false,
          rewriteRelativeImportExtensions: false,
          typeRoots: [join(ROOT, "node_modules/@types")],
        },
        include: ["*.ts", join(ROOT, "src/**/*.d.ts")],
      }),
    );
    const { exitCode, stdout } = await run(
      [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder],
      { allowFailure: true, timeoutMs: 120_000 },
    );
    assert.equal(exitCode, 0, stdout.toString());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
