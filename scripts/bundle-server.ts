// Bundles the server, its threads, what fetches a model first and the exporter of models, as they lie in images. Used by the build and by the benchmarks.
import { build, type Plugin } from "esbuild";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { withDirectImports } from "./direct-imports.ts";

const root = resolve(import.meta.dirname, "..");
const THREAD_FOLDERS = [
  "src/serving/runtime/onnx",
  "src/serving/runtime/js",
  "src/serving/runtime/images",
  "src/serving/server/codecs",
];

/** Files by the name of what becomes of them. */
type Entries = Readonly<Record<string, string>>;

/** Entry points of the image: the server, the one that fetches its model first, and every file that they start as a thread. */
function entryPoints(): Entries & { readonly server: string } {
  const points: Record<string, string> & { server: string } = {
    server: "src/serving/server/main.ts",
    boot: "src/app/boot/main.ts",
  };
  for (const folder of THREAD_FOLDERS) {
    if (!existsSync(join(root, folder))) continue;
    for (const name of readdirSync(join(root, folder))) {
      if (/-thread\.ts$/.test(name)) points[name.slice(0, -3)] = join(folder, name);
    }
  }
  return points;
}

/**
 * Takes Node's own modules without import statements. An import statement reads every export of the module, and one of `node:http` is a getter
 * that loads a whole HTTP client: 30 ms of each start. Exports that nobody uses are left out, since each one is a pure expression.
 */
export const builtins: Plugin = {
  name: "builtins",
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "builtin" } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter(
        (name) => name !== "default",
      );
      return {
        contents: [
          `const builtin = /* @__PURE__ */ process.getBuiltinModule("${path}");`,
          "export default builtin;",
          ...names.map(
            (name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`,
          ),
        ].join("\n"),
        loader: "js",
      };
    });
  },
};

/** The bundler splits by files: whoever needs one thing of a folder at the start would have the whole folder loaded at the start. */
const folders: Plugin = {
  name: "folders",
  setup(bundler) {
    bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: withDirectImports(readFileSync(path, "utf8"), path),
      loader: "ts",
    }));
  },
};

/**
 * Writes the bundle into `outdir`. What is loaded when it is needed lies in files of its own. The server is bundled apart from the others:
 * files that it shared with them would be one more file to find at each start.
 */
export async function bundleServer(outdir: string): Promise<void> {
  const { server, ...others } = entryPoints();
  await bundle({ server }, outdir);
  await bundle(others, outdir);
  // A program that ends when its work is done; one file, since images that have it have nothing else of the server.
  await bundle({ exporter: "src/app/exporter/main.ts" }, outdir, { splitting: false });
}

async function bundle(
  entries: Entries,
  outdir: string,
  { splitting = true }: { readonly splitting?: boolean } = {},
): Promise<void> {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting,
    chunkNames: "part-[name]-[hash]",
    platform: "node",
    target: "node24",
    format: "esm",
    external: ["onnxruntime-node"],
    define: { SLIPWAY_VERSION: JSON.stringify(version) },
    legalComments: "none",
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
    plugins: [builtins, folders],
    // CommonJS dependencies inside the bundle call require() for Node's own modules.
    banner: {
      js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
    },
  });
}
