import { resolve } from "node:path";
import { flag, needed, scaled } from "../options/kinds.ts";
import type { CommandSpec, Option } from "../options/option.ts";

/** A file to cut. */
export interface SplitWords {
  /** Folder of the file, absolute. */
  readonly folder: string;
  readonly file: string;
  /** Folder of the parts, absolute. */
  readonly target: string;
  /** Bytes of a part. */
  readonly partBytes: number | undefined;
}

/** `slipway train split`. */
export const SPLIT_COMMAND: CommandSpec<SplitWords> = {
  options: {
    folder: pathTo("<folder>", "where the file is"),
    file: needed("<file>", "its name"),
    target: pathTo("<target>", "folder of the parts, NAME-part0001 and so on"),
    partBytes: scaled("--size <mebibytes>", "of a part", 2 ** 20, { byDefault: 128 }),
  },
  examples: ["slipway train split /data train.lmdb /data/parts"],
};

/** Parts to put together. */
export interface JoinWords {
  /** Folder of the parts, absolute. */
  readonly folder: string;
  readonly prefix: string;
  /** The file, as it was written. */
  readonly target: string;
  /** Leaves the parts. Default false. */
  readonly isKeeping?: boolean | undefined;
}

/** `slipway train join`. */
export const JOIN_COMMAND: CommandSpec<JoinWords> = {
  options: {
    folder: pathTo("<folder>", "where the parts are"),
    prefix: needed("<prefix>", "what their names begin with"),
    target: needed("<target>", "the file"),
    isKeeping: flag("--keep", "leave the parts"),
  },
  examples: ["slipway train join /data/parts train.lmdb /data/train.lmdb"],
};

function pathTo(form: string, help: string): Option<string> {
  const written = needed(form, help);
  return {
    ...written,
    read: (given, context) => resolve(context.cwd, written.read(given, context)),
  };
}
