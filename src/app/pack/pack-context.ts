import type { PackContext } from "../../images/pack/index.ts";
import type { Store } from "../../images/store/index.ts";
import type { Session } from "../session.ts";
import { downloadPackage } from "./download-package.ts";
import { accessTo } from "../places/registry-access.ts";
import { findToolFiles } from "./tool-files.ts";

/** What packing gets of the outside world. */
export function packContextOf(
  store: Store,
  pool: PackContext["pool"],
  session: Session,
): PackContext {
  return {
    store,
    digests: store.digestCache(),
    cache: (namespace) => store.cache(namespace),
    cacheDir: session.directories.cache,
    tool: findToolFiles(session.toolVersion),
    pool,
    environment: session.environment,
    downloadPackage: async function* (name, version, options) {
      const { ca } = await accessTo("registry.npmjs.org", session);
      yield* downloadPackage({ name, version, env: session.environment, ca }, options);
    },
    onStep: (text) => session.emit({ kind: "step", text: text }),
    onRead: (progress) =>
      session.emit({ kind: "blob", ...progress, label: `reading ${progress.label}` }),
    onWarning: (text) => session.emit({ kind: "warning", text: text }),
    signal: session.signal,
  };
}
