import { ToolError } from "../../ground/errors/index.ts";
import { isDigest, type Digest } from "../../images/oci/index.ts";
import type { HostPaths } from "./command-file.ts";
import { jobCommands } from "./command-file.ts";
import { FRAMEWORKS, type Accelerator, type Framework, type TrainJob } from "./contracts.ts";

/** Beside the old command file: the same for programs. */
export const PLAN_FILE_NAME = "slipway-train.json";

/** An image that `train pack` made. */
export interface PackedName {
  readonly name: string;
  readonly digest: Digest;
  /** True for one that is in its registry. */
  readonly isPushed: boolean;
}

/** What `slipway-train.json` says. */
export interface TrainPlan {
  readonly schemaVersion: 1;
  readonly framework: Framework;
  readonly release?: string;
  readonly accelerator: Accelerator;
  readonly code: {
    /** Absolute; absent where the image has what runs. */
    readonly path?: string;
    readonly mainFile: string;
    /** True for the tool's own exporter, which has no use for graphics cards. */
    readonly isExporter?: boolean;
  };
  readonly data: string;
  readonly output: string;
  readonly images: { readonly cpu?: PackedName; readonly gpu?: PackedName };
  readonly commands: {
    readonly deploy: readonly string[];
    readonly cpuProgram: readonly string[];
    readonly gpuProgram: readonly string[];
    readonly cpu?: readonly string[];
    readonly gpu?: readonly string[];
    readonly gpuToday?: readonly string[];
  };
}

/** Text of the file for a job and its images; `paths` and `codePath` are absolute. */
export function printPlan(
  job: TrainJob,
  about: {
    readonly paths: HostPaths;
    readonly codePath: string | undefined;
    readonly images: TrainPlan["images"];
  },
): string {
  const { cpu, gpu, gpuToday, ...commands } = jobCommands(job, about.paths);
  const plan: TrainPlan = {
    schemaVersion: 1,
    framework: job.framework,
    ...(job.release === undefined ? {} : { release: job.release }),
    accelerator: job.accelerator,
    code: {
      ...(about.codePath === undefined ? {} : { path: about.codePath }),
      mainFile: job.mainFile,
      ...(job.isExporter ? { isExporter: true } : {}),
    },
    data: about.paths.data,
    output: about.paths.output,
    images: about.images,
    commands: {
      ...commands,
      ...(cpu === undefined ? {} : { cpu }),
      ...(gpu === undefined ? {} : { gpu }),
      ...(gpuToday === undefined ? {} : { gpuToday }),
    },
  };
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/** Reads the file back. @throws ToolError `PROJECT_INVALID` naming the key that is wrong. */
export function parsePlan(text: string, path: string): TrainPlan {
  const refuse = (why: string, cause?: unknown): ToolError =>
    new ToolError("PROJECT_INVALID", `read "${path}": ${why}`, {
      cause,
      hint: "write it anew with `slipway train pack`",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse("it is not JSON", error);
  }
  const wrong = wrongKey(asRecord(value));
  if (wrong !== undefined) throw refuse(`"${wrong}" is missing or not what it should be`);
  // Checked key by key above.
  return value as TrainPlan;
}

/** The first key that is not what a plan needs. */
function wrongKey(plan: Readonly<Record<string, unknown>>): string | undefined {
  const [code, images, commands] = [
    asRecord(plan["code"]),
    asRecord(plan["images"]),
    asRecord(plan["commands"]),
  ];
  const checks: readonly (readonly [string, boolean])[] = [
    ["schemaVersion", plan["schemaVersion"] === 1],
    ["framework", FRAMEWORKS.some((known) => known === plan["framework"])],
    ["accelerator", plan["accelerator"] === "cpu" || plan["accelerator"] === "gpu"],
    ["data", typeof plan["data"] === "string"],
    ["output", typeof plan["output"] === "string"],
    [
      "code",
      ["string", "undefined"].includes(typeof code["path"]) && typeof code["mainFile"] === "string",
    ],
    ...["cpu", "gpu"].map(
      (key) => [`images.${key}`, images[key] === undefined || isPackedName(images[key])] as const,
    ),
    ...["deploy", "cpuProgram", "gpuProgram"].map(
      (key) => [`commands.${key}`, isWords(commands[key])] as const,
    ),
  ];
  return checks.find(([, isRight]) => !isRight)?.[0];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function isPackedName(value: unknown): boolean {
  const { name, digest } = asRecord(value);
  return typeof name === "string" && isDigest(digest);
}

function isWords(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string")
  );
}
