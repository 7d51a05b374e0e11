// Bundles the command line: a command loads a few files in place of hundreds. Used by the build.
import { build, type Plugin } from "esbuild";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { builtins } from "./bundle-server.ts";
import { withDirectImports } from "./direct-imports.ts";

const root = resolve(import.meta.dirname, "..");
const ENTRY = "src/cli/main.ts";

/**
 * Lets a file say where it lies in the build and not where the bundle lies: threads, tables and Python files are found beside the file that
 * asks for them, as without a bundle.
 */
const ownPlaces: Plugin = {
  name: "own-places",
  setup(bundler) {
    bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const place = relative(dirname(join(root, ENTRY)), path.replace(/\.ts$/, ".js"))
        .split(sep)
        .join("/");
      const contents = withDirectImports(readFileSync(path, "utf8"), path)
        .replaceAll("import.meta.url", `new URL("${place}", import.meta.url).href`)
        .replaceAll(
          "import.meta.dirname",
          `process.getBuiltinModule("node:path").join(import.meta.dirname, "${dirname(place)}")`,
        );
      return { contents, loader: "ts" };
    });
  },
};

/** Writes the bundle into `outdir`, which lies in the build where `src/cli` lies in the sources. Packages stay apart. */
export async function bundleCommands(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: { main: ENTRY },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "part-[name]-[hash]",
    platform: "node",
    target: "node22",
    format: "esm",
    packages: "external",
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
    plugins: [builtins, ownPlaces],
  });
}
