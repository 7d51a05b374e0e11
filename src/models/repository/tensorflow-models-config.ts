import { messagesOf, wordOf, wordsOf, type TextMessage } from "../../ground/wire/index.ts";
import { basename } from "node:path";
import { ProjectError } from "../../ground/errors/index.ts";
import { parseTextProto } from "./text-proto.ts";
import { NEWEST, type VersionPolicy } from "./version-policy.ts";

/** TensorFlow Serving's list of models, as `--model_config_file` names it. */
export const MODELS_CONFIG = "models.config";

/** A model of that list. */
export interface ListedModel {
  readonly name: string;
  /** Name of its folder; where it lay on the machine of the list is not looked at. */
  readonly folder: string;
  readonly policy: VersionPolicy;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Reads `model_config_list`.
 * @throws ProjectError `PROJECT_INVALID`
 * @see tensorflow/serving, tensorflow_serving/config/model_server_config.proto
 */
export function parseModelsConfig(text: string, file: string): readonly ListedModel[] {
  const list = messagesOf(parseTextProto(text, file), "model_config_list");
  return list
    .flatMap((one) => messagesOf(one, "config"))
    .map((config) => {
      const name = wordOf(config, "name") ?? "";
      const base = wordOf(config, "base_path") ?? "";
      if (name === "" || base === "")
        throw new ProjectError(
          "PROJECT_INVALID",
          `read "${file}": a config has no ${name === "" ? "name" : "base_path"}`,
          { file },
        );
      return { name, folder: basename(base), policy: policyIn(config), labels: labelsIn(config) };
    });
}

function policyIn(config: TextMessage): VersionPolicy {
  const policy = messagesOf(config, "model_version_policy").at(-1);
  if (policy?.fields.has("all") === true) return { kind: "all" };
  const specific = policy === undefined ? [] : messagesOf(policy, "specific");
  if (specific.length > 0)
    return { kind: "specific", versions: specific.flatMap((one) => wordsOf(one, "versions")) };
  const latest = policy === undefined ? undefined : messagesOf(policy, "latest").at(-1);
  const count = Number(latest === undefined ? 1 : (wordOf(latest, "num_versions") ?? 1));
  return Number.isSafeInteger(count) && count > 0 ? { kind: "latest", count } : NEWEST;
}

function labelsIn(config: TextMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    messagesOf(config, "version_labels").flatMap((entry) => {
      const [key, value] = [wordOf(entry, "key"), wordOf(entry, "value")];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}
