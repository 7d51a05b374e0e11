// Runs every test, tier by tier, and closes with the one line that counts them.
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);

/** Tiers in order. Files of a tier run side by side; the later ones start real peers and want the machine for themselves. */
const tiers = [
  { name: "unit", patterns: ["src/**/*.test.ts", "test/*.test.ts"], concurrency: 2 },
  { name: "conformance", patterns: ["test/conformance/**/*.test.ts"], concurrency: 1 },
  { name: "integration", patterns: ["test/integration/**/*.test.ts"], concurrency: 1 },
  { name: "e2e", patterns: ["test/e2e/**/*.test.ts"], concurrency: 1 },
];
const wanted = process.argv.slice(2);
const count = { passed: 0, failed: 0, skipped: 0 };

for (const tier of tiers) {
  const files = tier.patterns
    .flatMap((pattern) => globSync(pattern))
    .filter(
      (file) =>
        wanted.length === 0 || wanted.some((word) => tier.name === word || file.includes(word)),
    )
    .sort();
  if (files.length === 0) continue;
  process.stdout.write(`\n== ${tier.name}: ${files.length} files\n`);
  await runTier(files, tier.concurrency);
}

process.stdout.write(
  `\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
);
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0);

async function runTier(files, concurrency) {
  const stream = run({
    files: files.map((file) => resolve(root, file)),
    concurrency,
    timeout: 600_000,
  });
  stream.on("test:pass", (event) => {
    if (event.details?.type === "suite") return;
    if (event.skip !== undefined && event.skip !== false) count.skipped += 1;
    else count.passed += 1;
  });
  stream.on("test:fail", (event) => {
    if (event.details?.type !== "suite") count.failed += 1;
  });
  const printed = stream.compose(new spec());
  for await (const chunk of printed) process.stdout.write(chunk);
}
