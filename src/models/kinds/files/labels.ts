import { readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import type { ModelFile } from "../contracts.ts";
import { filesBeside, headOf } from "./model-file.ts";

const MAX_BYTES = 8 * 2 ** 20;
const MAX_LABELS = 200_000;
const NAME =
  /^(?:labels?|classes|class_names|label_map|labelmap)\.(?:txt|json|pbtxt)$|^.*label_?map\.pbtxt$/i;

/** Labels in a text: a JSON list, a dictionary by number, a label map of TensorFlow, or one a line. Empty when they make no sense. */
export function labelsInText(text: string): readonly string[] {
  const trimmed = text.trim();
  if (trimmed.startsWith("[")) return jsonLabels(trimmed);
  if (/^\w*\s*item\s*\{/.test(trimmed)) return labelMap(trimmed);
  if (trimmed.startsWith("{")) return dictionaryLabels(trimmed);
  return text
    .replace(/\r?\n$/, "")
    .split(/\r?\n/)
    .slice(0, MAX_LABELS);
}

function jsonLabels(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.slice(0, MAX_LABELS).map(String) : [];
  } catch {
    return []; // text that begins like a list and is none
  }
}

/** `{0: 'person', 1: 'bicycle'}` of Python, and the same as JSON. */
function dictionaryLabels(text: string): readonly string[] {
  const found = text.matchAll(/["']?(\d+)["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/g);
  return byNumber([...found].map(([, id, double, single]) => [Number(id), double ?? single ?? ""]));
}

/** `item { id: 1 name: 'cat' display_name: 'Cat' }` */
function labelMap(text: string): readonly string[] {
  const items = text.matchAll(/item\s*\{([^}]*)\}/g);
  return byNumber(
    [...items].map(([, body = ""]) => {
      const id = Number(/\bid\s*:\s*(\d+)/.exec(body)?.[1] ?? 0);
      const shown = /display_name\s*:\s*["']([^"']*)["']/.exec(body)?.[1];
      return [id, shown ?? /\bname\s*:\s*["']([^"']*)["']/.exec(body)?.[1] ?? ""];
    }),
  );
}

function byNumber(pairs: readonly (readonly [number, string])[]): readonly string[] {
  const most = pairs.reduce((max, [id]) => Math.max(max, id), -1);
  if (most >= MAX_LABELS) return [];
  const labels = Array.from({ length: most + 1 }, () => "");
  for (const [id, label] of pairs) labels[id] = label;
  return labels;
}

/** Labels in a file beside a model, such as `labels.txt` or a label map. */
export function labelsBeside(
  files: readonly ModelFile[],
  folder: string,
): { readonly path: string; readonly labels: readonly string[] } | undefined {
  const found = filesBeside(files, folder).find(
    ({ path, size }) => NAME.test(posix.basename(path)) && size > 0 && size <= MAX_BYTES,
  );
  if (found === undefined || !/^(?:text|json)$/.test(headOf(found).content)) return undefined;
  const labels = labelsInText(readFileSync(found.location, "utf8"));
  return labels.length === 0 ? undefined : { path: found.path, labels };
}

/** Labels in a file that is named; undefined where it cannot be read, is longer than 8 MiB, or holds none. */
export function readLabelsFile(location: string): readonly string[] | undefined {
  const stats = statSync(location, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || stats.size > MAX_BYTES) return undefined;
  const labels = labelsInText(readFileSync(location, "utf8"));
  return labels.some((label) => label !== "") ? labels : undefined;
}
