import { ProjectError } from "../../ground/errors/index.ts";
import { CONTRACTS, type ModelDescription } from "./description.ts";
import { MODEL_KINDS, type ModelKind } from "./kinds.ts";
import { parseDescription, printDescription } from "./description-file.ts";

/** What an image without a model knows of the one that it will fetch. Baked in as `/opt/slipway/boot.json`. */
export interface BootDescription extends Pick<
  ModelDescription,
  "name" | "contract" | "ports" | "server" | "python" | "allowPickle"
> {
  /** Kinds that the image has what it takes to run. */
  readonly kinds: readonly ModelKind[];
}

/** The bytes of `/opt/slipway/boot.json`; equal descriptions give equal bytes. */
export function printBootDescription({ kinds, ...rest }: BootDescription): Uint8Array {
  const bytes = printDescription({ ...rest, ...PLACEHOLDER });
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Readonly<
    Record<string, unknown>
  >;
  return Buffer.from(`${JSON.stringify({ ...value, kinds }, null, 2)}\n`);
}

/** @throws ProjectError `PROJECT_INVALID` naming the file */
export function parseBootDescription(bytes: Uint8Array, file: string): BootDescription {
  const { name, contract, ports, server, python, allowPickle } = parseDescription(bytes, file);
  const { kinds } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly kinds?: unknown };
  const known = MODEL_KINDS.filter((kind) => Array.isArray(kinds) && kinds.includes(kind));
  if (known.length === 0 || !CONTRACTS.includes(contract))
    throw new ProjectError("PROJECT_INVALID", `read "${file}": it names no kind of model`, {
      file,
    });
  return {
    ...{ name, contract, ports, server, kinds: known },
    ...(python !== undefined && { python }),
    ...(allowPickle !== undefined && { allowPickle }),
  };
}

/** Fields of a description that only a model has. */
const PLACEHOLDER = { schemaVersion: 1, kind: "class", service: "MODEL" } as const;
