import { messagesOf, wordOf, wordsOf, type TextMessage } from "../../ground/wire/index.ts";
import { ProjectError } from "../../ground/errors/index.ts";
import type { ModelKind, ServerSettings } from "../description/index.ts";
import { parseTextProto } from "./text-proto.ts";
import { NEWEST, type VersionPolicy } from "./version-policy.ts";

/** What a `config.pbtxt` says that has an effect here. */
export interface TritonConfig {
  readonly name?: string;
  readonly policy: VersionPolicy;
  readonly server: ServerSettings;
  readonly kind?: ModelKind;
  /** Absent: what lies in the folder of a version. */
  readonly model?: string;
  readonly ignored: readonly string[];
}

/** Kinds by Triton's names of platforms and backends. */
const KINDS: Readonly<Record<string, ModelKind>> = {
  onnxruntime_onnx: "onnx",
  onnxruntime: "onnx",
  tensorflow_savedmodel: "tf-savedmodel",
  tensorflow_graphdef: "tf-frozen-graph",
  pytorch_libtorch: "pytorch",
  pytorch: "pytorch",
};
/** Backends that say nothing of the kind by themselves. */
const OPEN_BACKENDS: readonly string[] = ["tensorflow", "fil", ""];
/** Fields that change answers or costs in Triton, and that have no effect here. */
const IGNORED: readonly string[] = [
  "ensemble_scheduling",
  "sequence_batching",
  "optimization",
  "response_cache",
  "model_transaction_policy",
];

/**
 * Reads Triton's configuration of a model.
 * @throws ProjectError `PROJECT_INVALID` for one that is damaged or for a backend that nothing here runs
 * @see triton-inference-server/common, protobuf/model_config.proto
 */
export function parseTritonConfig(text: string, file: string): TritonConfig {
  const config = parseTextProto(text, file);
  const name = wordOf(config, "name");
  const model = wordOf(config, "default_model_filename");
  const kind = kindIn(config, file);
  return {
    ...(name !== undefined && name !== "" && { name }),
    ...(model !== undefined && model !== "" && { model }),
    ...(kind !== undefined && { kind }),
    policy: policyIn(config, file),
    server: serverIn(config, file),
    ignored: IGNORED.filter((field) => config.fields.has(field)),
  };
}

function kindIn(config: TextMessage, file: string): ModelKind | undefined {
  const platform = wordOf(config, "platform") ?? "";
  const backend = wordOf(config, "backend") ?? "";
  const said = platform === "" ? backend : platform;
  if (OPEN_BACKENDS.includes(said)) return undefined;
  if (Object.hasOwn(KINDS, said)) return KINDS[said];
  throw new ProjectError("PROJECT_INVALID", `read "${file}": nothing here runs "${said}"`, {
    file,
    hint:
      said === "python"
        ? "give the class a method predict(self, inputs), in place of execute of triton_python_backend_utils"
        : `it is one of ${Object.keys(KINDS).join(", ")}`,
  });
}

function policyIn(config: TextMessage, file: string): VersionPolicy {
  const policy = messagesOf(config, "version_policy").at(-1);
  if (policy === undefined) return NEWEST;
  if (policy.fields.has("all")) return { kind: "all" };
  const specific = messagesOf(policy, "specific").at(-1);
  if (specific !== undefined) return { kind: "specific", versions: wordsOf(specific, "versions") };
  const latest = messagesOf(policy, "latest").at(-1);
  const count = latest === undefined ? undefined : wordOf(latest, "num_versions");
  return count === undefined
    ? NEWEST
    : { kind: "latest", count: whole(count, "num_versions", file) };
}

/** Batching happens only where Triton would do it: `dynamic_batching` and a `max_batch_size` above 1. */
function serverIn(config: TextMessage, file: string): ServerSettings {
  const maxBatch = whole(wordOf(config, "max_batch_size") ?? "0", "max_batch_size", file);
  const batching = messagesOf(config, "dynamic_batching").at(-1);
  const delay =
    batching === undefined ? undefined : wordOf(batching, "max_queue_delay_microseconds");
  const instances = messagesOf(config, "instance_group")
    .map((group) => whole(wordOf(group, "count") ?? "1", "count", file))
    .reduce((sum, count) => sum + count, 0);
  return {
    ...(instances > 0 && { workers: instances }),
    ...(batching !== undefined && maxBatch > 1 && { maxBatch }),
    ...(delay !== undefined && {
      maxWaitMs: Math.ceil(whole(delay, "max_queue_delay_microseconds", file) / 1000),
    }),
  };
}

function whole(text: string, field: string, file: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ProjectError(
    "PROJECT_INVALID",
    `read "${file}": ${field} is "${text.slice(0, 40)}", and a whole number is wanted`,
    { file },
  );
}
