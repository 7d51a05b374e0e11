// Compiles src/ to dist/ file by file, makes the manual page, and bundles the server, its threads and its page into dist/server for the images.
import { build as buildPage } from "vite";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { bundleCommands } from "./bundle-commands.ts";
import { bundleServer } from "./bundle-server.ts";
import { withDirectImports } from "./direct-imports.ts";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
// Made beside it and swapped in whole, so that whoever uses the old build meanwhile has it to the end, and a build that fails changes nothing.
const made = join(root, `dist.${process.pid}`);
const newest = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs),
      0,
    );

const stamp = join(dist, "index.js");
if (
  !process.argv.includes("--force") &&
  existsSync(stamp) &&
  statSync(stamp).mtimeMs >
    Math.max(
      newest(join(root, "src")),
      newest(join(root, "ui")),
      statSync(join(root, "package-lock.json")).mtimeMs,
    )
) {
  process.exit(0);
}

process.on("exit", () => rmSync(made, { recursive: true, force: true }));
const compiled = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json", "--outDir", made],
  { cwd: root, stdio: "inherit" },
);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

// A command loads what it uses, and not every folder that it uses something of.
for (const name of readdirSync(made, { recursive: true }).filter((name) => name.endsWith(".js"))) {
  const path = join(made, name);
  writeFileSync(path, withDirectImports(readFileSync(path, "utf8"), path));
}

await bundleServer(join(made, "server"));

/** Decoders of pictures, which the threads look for beside themselves. */
for (const path of [
  "jpeg/codec/dec/mozjpeg_dec.wasm",
  "webp/codec/dec/webp_dec.wasm",
  "png/codec/pkg/squoosh_png_bg.wasm",
])
  copyFileSync(
    join(root, "node_modules/@jsquash", path),
    join(made, "server", path.replace(/.*\//, "")),
  );

const { overview } = await import(join(made, "cli/overview.js"));
rmSync(join(made, "cli"), { recursive: true });
await bundleCommands(join(made, "cli"));
writeFileSync(join(made, "cli/overview.txt"), overview());

const { renderManPage } = await import("./man-page.js");
mkdirSync(join(made, "man"));
writeFileSync(join(made, "man", "slipway.1"), await renderManPage());

await buildPage({
  configFile: join(root, "ui/vite.config.js"),
  build: { outDir: join(made, "server/page") },
});

const old = `${made}.old`;
if (existsSync(dist)) renameSync(dist, old);
renameSync(made, dist);
rmSync(old, { recursive: true, force: true });
