import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SELDON_MODELS } from "./servers.ts";
import type { WireAnswer } from "./wire.ts";

/** Answers of the wrapper, by group and request; `null` for a server that did not come up. */
export type Recorded = Readonly<Record<string, Readonly<Record<string, WireAnswer>> | null>>;

const FILE = join(SELDON_MODELS, "recorded.json");

export function readRecorded(): Recorded {
  return JSON.parse(readFileSync(FILE, "utf8")) as Recorded; // our own file
}

export function writeRecorded(recorded: Recorded): void {
  writeFileSync(FILE, `${JSON.stringify(recorded, undefined, 1)}\n`);
}
