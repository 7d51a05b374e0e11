#!/usr/bin/env node
// Plain syntax that an old Node can read, so that it gets one clear sentence instead of a parser's complaint.
import { existsSync, readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    "error TOOL_MISSING: slipway needs Node 22.19 or newer, and this is Node " +
      process.versions.node +
      "\n  hint: install Node 24, or run `npx -p node@24 -p slipway slipway`\n",
  );
  process.exit(8);
}
const args = process.argv.slice(2);
const built = new URL("../dist/cli/main.js", import.meta.url);
// Tests and whoever works on the tool want the sources, whether or not a build lies beside them.
const isFromSource = process.env.SLIPWAY_FROM_SOURCE === "1" || !existsSync(fileURLToPath(built));
if (
  !isFromSource &&
  (args.length === 0 || (args.length === 1 && ["--help", "-h", "help"].includes(args[0])))
) {
  process.stdout.on("error", () => process.exit(0)); // who reads it has seen enough
  process.stdout.write(readFileSync(new URL("../dist/cli/overview.txt", import.meta.url)));
} else {
  const entry = isFromSource ? new URL("../src/cli/main.ts", import.meta.url) : built;
  // Compiled code is kept beside the tool's other caches: half of a short command is compiling.
  if (!isFromSource)
    nodeModule.enableCompileCache(
      (process.env.XDG_CACHE_HOME || homedir() + "/.cache") + "/slipway/compiled",
    );
  const { main } = await import(entry.href);
  await main(args);
}
