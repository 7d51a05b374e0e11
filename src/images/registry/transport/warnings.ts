import { stripControls } from "../../../ground/errors/index.ts";

/** Keeps what a registry warns of, each text once. */
export interface Warnings {
  take(values: readonly string[]): void;
  readonly list: readonly string[];
}

const MAX_WARNINGS = 20;
const MAX_LENGTH = 300;

/** Warnings are to be shown, never acted upon. @see distribution-spec, spec.md#warnings */
export function createWarnings(onWarning?: (text: string) => void): Warnings {
  const list: string[] = [];
  return {
    list,
    take(values) {
      for (const value of values) {
        const text = parseWarning(value);
        if (text === undefined || list.includes(text) || list.length >= MAX_WARNINGS) continue;
        list.push(text);
        onWarning?.(text);
      }
    },
  };
}

/** `299 - "text"`; other codes are those of caches. */
function parseWarning(value: string): string | undefined {
  const match = /^299\s+\S+\s+"((?:[^"\\]|\\.)*)"/.exec(value.slice(0, 4096));
  return match?.[1] === undefined
    ? undefined
    : stripControls(match[1].replaceAll(/\\(.)/g, "$1")).slice(0, MAX_LENGTH);
}
