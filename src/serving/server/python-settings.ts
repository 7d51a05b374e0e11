import type { ModelDescription } from "../../models/description/index.ts";
import type { SeldonSettings } from "../protocols/index.ts";
import type { ClassParameter, PythonOptions } from "../runtime/index.ts";

/** What a launch, or the options of a load, say of user code. */
export interface UserCodeOptions {
  readonly settings: SeldonSettings;
  readonly parameters: readonly ClassParameter[];
  readonly logLevel: string;
  readonly threads: number;
  /** True where the code is loaded anew when its files change. */
  readonly isWatched?: boolean;
}

/** What Python workers are told of the server that they belong to. */
export function pythonSettings(
  { server }: ModelDescription,
  { settings, parameters, logLevel, threads, isWatched = false }: UserCodeOptions,
): PythonOptions {
  const { isStrict, sortKeys, asciiOnly, hasTypedArrays } = settings;
  const { workerMemoryMib } = server;
  return {
    ...{ parameters, logLevel, threads, isWatched },
    ...{ isStrict, sortKeys, asciiOnly, hasTypedArrays },
    ...(workerMemoryMib !== undefined && { memoryBytes: workerMemoryMib * 2 ** 20 }),
  };
}
