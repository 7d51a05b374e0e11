import type { DeflatePool } from "../compress/index.ts";
import type { LockedWheel, PythonContext, PythonRequest } from "./contracts.ts";
import type { Stage } from "./stage.ts";
import { readStaged, type ScriptPlace, type UnpackedWheel } from "./tree.ts";

/** One run over one request. */
export interface Work {
  readonly context: PythonContext;
  readonly request: PythonRequest;
  readonly stage: Stage;
  readonly place: ScriptPlace;
  readonly pool: DeflatePool;
  /** Wheels unpacked so far, by name. */
  readonly unpacked: Map<string, UnpackedWheel>;
}

/**
 * Unpacks the wheels that are missing: in one call, or one by one when their files could not be
 * told apart.
 */
export async function unpack(
  wheels: readonly LockedWheel[],
  work: Work,
): Promise<ReadonlyMap<string, UnpackedWheel>> {
  const missing = wheels.filter(({ name }) => !work.unpacked.has(name));
  if (missing.length > 0) {
    work.context.onProgress?.({ kind: "install", packages: missing.length });
    const together = readStaged(await work.stage.install(missing), missing, work.place);
    for (const one of together ?? (await unpackApart(missing, work)))
      work.unpacked.set(one.wheel.name, one);
  }
  return new Map(
    [...work.unpacked].filter(([name]) => wheels.some((wheel) => wheel.name === name)),
  );
}

async function unpackApart(
  wheels: readonly LockedWheel[],
  work: Work,
): Promise<readonly UnpackedWheel[]> {
  const apart: UnpackedWheel[] = [];
  for (const wheel of wheels)
    apart.push(...(readStaged(await work.stage.install([wheel]), [wheel], work.place) ?? []));
  return apart;
}
