import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import { ANNOTATIONS_FILE, parseAnnotations } from "./seldon/annotations.ts";
import type { ServeOptions } from "./server-parts.ts";
import { readTls } from "./tls.ts";

/** What is laid beside a container: certificates, and annotations of its pod. */
export interface Pod {
  readonly options: Pick<ServeOptions, "tls" | "grpcMaxMessageBytes">;
  /** The description with what the annotations say put over it. */
  applyTo(description: ModelDescription): ModelDescription;
}

/** Reads them; `SLIPWAY_ROOT` stands before their paths. @throws ToolError `USAGE` for a certificate that cannot be read */
export async function readPod(env: Readonly<Record<string, string | undefined>>): Promise<Pod> {
  const root = env["SLIPWAY_ROOT"] ?? "";
  const text = (await readFile(join(root, ANNOTATIONS_FILE), "utf8").catch(noFile)) ?? ""; // outside of clusters there is none
  const { grpcMaxMessageBytes, restTimeoutMs } = parseAnnotations(text);
  const tls = await readTls(env, root);
  return {
    options: { tls, grpcMaxMessageBytes },
    applyTo: (description) =>
      restTimeoutMs === undefined
        ? description
        : { ...description, server: { ...description.server, timeoutMs: restTimeoutMs } },
  };
}
