import type { PackContext } from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Context } from "../context.ts";
import { downloadPackage } from "./download-package.ts";
import { accessTo } from "../places/registry-access.ts";
import { findToolFiles } from "./tool-files.ts";

/** What packing gets of the outside world. */
export function packContextOf(
  store: Store,
  pool: PackContext["pool"],
  context: Context,
): PackContext {
  return {
    store,
    digests: store.digestCache(),
    cache: (namespace) => store.cache(namespace),
    cacheDir: context.directories.cache,
    tool: findToolFiles(context.toolVersion),
    pool,
    environment: context.env,
    downloadPackage: async function* (name, version, options) {
      const { ca } = await accessTo("registry.npmjs.org", context);
      yield* downloadPackage({ name, version, env: context.env, ca }, options);
    },
    onStep: (text) => context.reporter.step(text),
    onRead: (progress) =>
      context.reporter.blob({ kind: "blob", ...progress, label: `reading ${progress.label}` }),
    onWarning: (text) => context.reporter.warn(text),
    signal: context.signal,
  };
}
