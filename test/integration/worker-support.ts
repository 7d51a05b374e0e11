import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  createPythonPredictor,
  type LogLine,
  type PythonPredictor,
  type PythonOptions,
} from "../../src/serving/runtime/python/index.ts";
import type { ComponentRequest, ComponentResponse } from "../../src/serving/plane/index.ts";
import type { ModelDescription, ServerSettings } from "../../src/models/description/index.ts";
import { pythonEnv } from "../support/python-env.ts";

export const MODELS: string = join(import.meta.dirname, "../fixtures/worker-models");

export interface WorkerSetup {
  /** `file.py:Class` in the folder of models. */
  readonly code: string;
  readonly server?: ServerSettings;
  readonly options?: PythonOptions;
  readonly description?: Partial<ModelDescription>;
}

export interface RunningWorker extends AsyncDisposable {
  readonly component: PythonPredictor;
  readonly lines: LogLine[];
  /** Resolves when a log line matches; the lines that are there already count. */
  line(matches: (line: LogLine) => boolean): Promise<LogLine>;
}

/** A running component over an interpreter that has numpy; undefined when the test was skipped. */
export async function startWorker(
  t: TestContext,
  setup: WorkerSetup,
): Promise<RunningWorker | undefined> {
  const environment = await pythonEnv(t, { packages: ["numpy"] });
  return environment === undefined ? undefined : startWith(environment.python, setup);
}

export async function startWith(executable: string, setup: WorkerSetup): Promise<RunningWorker> {
  const [file = "", name = ""] = setup.code.split(":");
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const onLog = (line: LogLine): void => {
    lines.push(line);
    setup.options?.onLog?.(line);
    for (const look of waiting) look(line);
  };
  const component = await createPythonPredictor(
    {
      schemaVersion: 1,
      name: "test",
      kind: "class",
      contract: "seldon",
      service: "MODEL",
      codePath: MODELS,
      code: { file, name, language: "python" },
      ports: { http: 0 },
      server: setup.server ?? {},
      python: { executable, path: [] },
      ...setup.description,
    },
    { graceMs: 2000, ...setup.options, onLog },
  );
  return {
    component,
    lines,
    line: (matches) => {
      const found = lines.find(matches);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => {
        const look = (line: LogLine): void => {
          if (!matches(line)) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
      });
    },
    [Symbol.asyncDispose]: () => component[Symbol.asyncDispose](),
  };
}

/** A prediction of rows of numbers. */
export function rows(values: readonly (readonly number[])[], requestId?: string): ComponentRequest {
  const data = Buffer.from(Float64Array.from(values.flat()).buffer);
  const tensor = {
    name: "",
    datatype: "FP64",
    shape: [values.length, values[0]?.length ?? 0],
    data,
  } as const;
  return {
    method: "predict",
    messages: [{ payload: { kind: "tensor", tensor }, names: [] }],
    ...(requestId !== undefined && { requestId }),
  };
}

export function text(value: string): ComponentRequest {
  return { method: "predict", messages: [{ payload: { kind: "text", text: value }, names: [] }] };
}

/** The numbers of a FP64 answer, be it an array or the lists that user code gave back. */
export function numbers(response: ComponentResponse): number[] {
  const { payload } = response.message;
  if (payload.kind === "array" && payload.datatype === "FP64")
    return (JSON.parse(payload.json) as number[][]).flat(2);
  if (payload.kind !== "tensor" || payload.tensor.datatype !== "FP64")
    throw new Error(`not a FP64 tensor: ${JSON.stringify(payload)}`);
  const { data } = payload.tensor;
  return [
    ...new Float64Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)),
  ];
}

export function json(response: ComponentResponse): unknown {
  const { payload } = response.message;
  if (!("json" in payload)) throw new Error(`not JSON: ${JSON.stringify(payload)}`);
  return JSON.parse(payload.json) as unknown;
}
