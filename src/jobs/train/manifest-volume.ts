import type { Fragment } from "../kubernetes/index.ts";
import { ToolError } from "../../ground/errors/index.ts";

/** What a volume is in a pod, and the folder of it that is mounted. */
export interface Volume {
  readonly source: Fragment;
  readonly subPath?: string;
}

/** @throws ToolError `USAGE` for a text that names none. */
export function volumeOf(flag: string, text: string): Volume {
  const [, kind = "", rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  const volume = VOLUMES[kind]?.(rest);
  if (volume !== undefined) return volume;
  throw new ToolError("USAGE", `--${flag} "${text}" is no volume`, {
    hint: "write pvc:NAME[/FOLDER], nfs:HOST:/PATH, host:/PATH or empty",
  });
}

const VOLUMES: Readonly<Record<string, (rest: string) => Volume | undefined>> = {
  empty: (rest) => (rest === "" ? { source: { emptyDir: {} } } : undefined),
  host: (rest) => (rest.startsWith("/") ? { source: { hostPath: { path: rest } } } : undefined),
  nfs(rest) {
    const [, server, path] = /^([^:/]+):(\/.*)$/s.exec(rest) ?? [];
    return server === undefined || path === undefined
      ? undefined
      : { source: { nfs: { server, path } } };
  },
  pvc(rest) {
    const [, claimName, subPath] = /^([a-z0-9][a-z0-9.-]*)(?:\/(.+))?$/s.exec(rest) ?? [];
    return claimName === undefined
      ? undefined
      : {
          source: { persistentVolumeClaim: { claimName } },
          ...(subPath === undefined ? {} : { subPath }),
        };
  },
};
