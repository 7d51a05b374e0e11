import { posix } from "node:path";
import { openReader, type RandomReader } from "../../../ground/bytes/index.ts";
import { ProjectError } from "../../../ground/errors/index.ts";
import type { ModelFile } from "../contracts.ts";

/** What the first bytes of a file say it is. */
type Content =
  | "empty"
  | "git-lfs"
  | "html"
  | "xml"
  | "json"
  | "text"
  | "zip"
  | "hdf5"
  | "gguf"
  | "tflite"
  | "binary";

export interface FileHead {
  readonly content: Content;
  /** The first bytes, 8 KiB at the most. */
  readonly bytes: Buffer;
}

const HEAD_BYTES = 8192;
const LFS = "version https://git-lfs.github.com/spec/";
const heads = new WeakMap<ModelFile, FileHead>();

/** Reads the beginning of a file, once for each `ModelFile`. @throws ProjectError `MODEL_FILE_INVALID` when it is no regular file. */
export function headOf(file: ModelFile): FileHead {
  const known = heads.get(file);
  if (known !== undefined) return known;
  using reader = openReader(file.location, file.path);
  const bytes = Buffer.from(reader.at(0, HEAD_BYTES));
  const head = { content: contentOf(bytes), bytes };
  heads.set(file, head);
  return head;
}

function contentOf(bytes: Buffer): Content {
  if (bytes.byteLength === 0) return "empty";
  const start = bytes.toString("latin1", 0, 64);
  if (start.startsWith("PK\x03\x04") || start.startsWith("PK\x05\x06")) return "zip";
  if (start.startsWith("\x89HDF\r\n\x1a\n")) return "hdf5";
  if (start.startsWith("GGUF")) return "gguf";
  if (start.slice(4, 8) === "TFL3") return "tflite";
  const text = textIn(bytes);
  if (text === undefined) return "binary";
  if (text.startsWith(LFS)) return "git-lfs";
  const begin = text.replace(/^\uFEFF/, "").trimStart();
  if (/^<!doctype html|^<html/i.test(begin)) return "html";
  if (begin.startsWith("<")) return "xml";
  return /^[{[]/.test(begin) ? "json" : "text";
}

/** The bytes as text when they are UTF-8 without control characters; a character cut at the end is left out. */
function textIn(bytes: Buffer): string | undefined {
  // oxlint-disable-next-line no-control-regex
  const control = /[\x00-\x08\x0e-\x1f]/;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return control.test(text) ? undefined : text;
  } catch {
    return undefined; // any error here means that it is no UTF-8
  }
}

export interface InvalidModelOptions {
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A model file that is damaged, or that a part is missing of. */
export function invalidModel(
  path: string,
  why: string,
  { hint, cause }: InvalidModelOptions = {},
): ProjectError {
  return new ProjectError("MODEL_FILE_INVALID", `read "${path}": ${why}`, {
    file: path,
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}

/** The file of a path. @throws ProjectError `MODEL_FILE_INVALID` when it is not among the files. */
export function modelFileAt(files: readonly ModelFile[], path: string): ModelFile {
  const file = files.find((one) => one.path === path);
  if (file === undefined) throw invalidModel(path, "there is no such file");
  return file;
}

/**
 * Refuses what stands in for a model and is none: an empty file, a Git LFS pointer, an error page.
 * @param want - what it should be, with its article: `an ONNX model`.
 * @throws ProjectError `MODEL_FILE_INVALID` saying what it is.
 */
export function refuseImpostor(file: ModelFile, want: string): void {
  const { content, bytes } = headOf(file);
  if (content === "empty")
    throw invalidModel(file.path, `it is empty, not ${want}`, { hint: "copy the file again" });
  if (content === "html")
    throw invalidModel(file.path, `it is an HTML page, not ${want}`, {
      hint: "open it: it tells why the download failed",
    });
  if (content !== "git-lfs") return;
  const size = /^size (\d+)$/m.exec(bytes.toString("utf8"))?.[1];
  throw invalidModel(
    file.path,
    `it is a Git LFS pointer, not ${want}; the real file has ${size ?? "an unknown number of"} bytes`,
    { hint: "fetch the file itself: git lfs pull" },
  );
}

/** Opens a model file for random access. The caller disposes the reader. @throws ProjectError `MODEL_FILE_INVALID` */
export function openModelFile(file: ModelFile, want: string): RandomReader {
  refuseImpostor(file, want);
  return openReader(file.location, file.path);
}

/** The folder of a path; the empty text for the top. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === "." ? "" : folder;
}

/** A path inside a folder; the empty text stands for the top. */
export function pathIn(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Files that lie in a folder itself, not below it. */
export function filesBeside(files: readonly ModelFile[], folder: string): readonly ModelFile[] {
  return files.filter(({ path }) => folderOf(path) === folder);
}

/** Files that lie anywhere in a folder. */
export function filesUnder(files: readonly ModelFile[], folder: string): readonly ModelFile[] {
  return folder === "" ? files : files.filter(({ path }) => path.startsWith(`${folder}/`));
}

/** Name of a path without its folder and its last ending. */
export function stemOf(path: string): string {
  return posix.basename(path, posix.extname(path));
}
