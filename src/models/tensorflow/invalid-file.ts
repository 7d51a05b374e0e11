import { ProjectError } from "../../ground/errors/index.ts";
import { WireError } from "../../ground/wire/index.ts";

/** What is wrong inside a file, without its name. Private to this module: whoever knows the file's name turns it into a ProjectError. */
export class FormatError extends Error {}

/** The error of a damaged file. @param name - as a person knows it, such as `model.ckpt-5.index` */
export function invalidFile(name: string, why: string, cause?: unknown): ProjectError {
  return new ProjectError("MODEL_FILE_INVALID", `read "${name}": ${why}`, {
    file: name,
    cause,
    hint: "copy the file again from where the training wrote it",
  });
}

/** Runs a parser; what it finds wrong becomes an error that names the file. @throws ProjectError `MODEL_FILE_INVALID` */
export function parsing<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof WireError) throw invalidFile(name, error.why, error);
    if (error instanceof FormatError) throw invalidFile(name, error.message, error);
    throw error;
  }
}
