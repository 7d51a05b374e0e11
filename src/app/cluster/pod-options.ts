import { ToolError } from "../../ground/errors/index.ts";
import type { ManifestVariable, Toleration } from "../../jobs/kubernetes/index.ts";
import type { ManifestOptions } from "../../jobs/train/index.ts";
import { parsed, parsedEach, text } from "../options/kinds.ts";
import type { Option, Options } from "../options/option.ts";

/** What a cluster asks of pods. */
export const POD_OPTIONS: Options<
  Pick<
    ManifestOptions,
    | "tolerations"
    | "env"
    | "serviceAccount"
    | "priorityClass"
    | "gpuResource"
    | "runAs"
    | "nodeSelector"
    | "pullSecret"
  >
> = {
  tolerations: parsedEach(
    "--toleration <taint>",
    "KEY=VALUE:EFFECT, KEY:EFFECT, KEY or * of nodes that may be used; may come more than once",
    (value) => [parseToleration(value)],
  ),
  env: podVariables(),
  serviceAccount: text("--service-account <name>", "as whom the pods talk to the cluster"),
  priorityClass: text("--priority-class <name>", "priority of the pods"),
  gpuResource: text(
    "--gpu-resource <name>",
    "what the cluster calls a card (default: nvidia.com/gpu)",
  ),
  runAs: parsed(
    "--run-as <uid[:gid]>",
    'run as this user, as Pod Security "restricted" wants it',
    parseUser,
  ),
  nodeSelector: nodeLabels(),
  pullSecret: text("--pull-secret <name>", "secret with the registry's credential"),
};

/** A whole number, 0 too; errors name the flag. */
export function wholeNumber(form: string, help: string): Option<number | undefined> {
  return parsed(form, help, (value) => {
    if (/^\d{1,9}$/.test(value)) return Number(value);
    throw new ToolError("USAGE", `${form.split(" ")[0]} "${value}" is not a whole number`);
  });
}

function nodeLabels(): Option<Readonly<Record<string, string>> | undefined> {
  const entries = parsedEach(
    "--node-selector <label=value>",
    "nodes to run on; may come more than once",
    (value) => [parseNodeLabel(value)],
  );
  return {
    ...entries,
    read(given, context) {
      const labels = entries.read(given, context);
      return labels === undefined ? undefined : Object.fromEntries(labels);
    },
  };
}

function parseNodeLabel(entry: string): readonly [string, string] {
  const [, label, value = ""] = /^([^=]+)=(.*)$/s.exec(entry) ?? [];
  if (label !== undefined) return [label, value];
  throw new ToolError("USAGE", `--node-selector "${entry}" is no label with a value`, {
    hint: "write --node-selector accelerator=a100",
  });
}

const TOLERATION =
  /^(\*(?!=)|[^=:*\s]+)(?:=([^:\s]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/;

/** `KEY[=VALUE][:EFFECT]`, as `kubectl taint` writes a taint; `*` takes any key. */
function parseToleration(text: string): Toleration {
  const [, key, value, effect] = TOLERATION.exec(text) ?? [];
  if (key === undefined)
    throw new ToolError("USAGE", `--toleration "${text}" is none`, {
      hint: "write KEY=VALUE:NoSchedule, KEY:NoExecute, KEY or *",
    });
  return {
    ...(key === "*" ? {} : { key }),
    operator: value === undefined ? "Exists" : "Equal",
    ...(value === undefined ? {} : { value }),
    ...(effect === undefined ? {} : { effect: effect as NonNullable<Toleration["effect"]> }),
  };
}

/** Variables by their values, and by keys of Secrets. */
function podVariables(): Option<readonly ManifestVariable[]> {
  const plain = parsedEach(
    "-e, --env <name=value>",
    "variable of the container; may come more than once",
    (value) => [parseVariable(value)],
  );
  const secret = parsedEach(
    "--secret-env <name=secret/key>",
    "variable out of a Secret of the cluster",
    (value) => [parseSecretVariable(value)],
  );
  return {
    flags: [...plain.flags, ...secret.flags],
    read: ([values = [], secrets = []], context) => [
      ...(plain.read([values], context) ?? []),
      ...(secret.read([secrets], context) ?? []),
    ],
  };
}

function parseVariable(text: string): ManifestVariable {
  const [, name, value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined) return { name, value };
  throw new ToolError("USAGE", `--env "${text}" has no value`, {
    hint: "write --env NAME=VALUE; a secret is --secret-env NAME=SECRET/KEY",
  });
}

function parseSecretVariable(text: string): ManifestVariable {
  const [, name, secret, key] = /^([^=]+)=([a-z0-9][a-z0-9.-]*)\/([\w.-]+)$/.exec(text) ?? [];
  if (name !== undefined && secret !== undefined && key !== undefined) return { name, secret, key };
  throw new ToolError("USAGE", `--secret-env names no key of a Secret`, {
    hint: "write --secret-env NAME=SECRET/KEY; the value stays in the cluster",
  });
}

function parseUser(text: string): NonNullable<ManifestOptions["runAs"]> {
  const [, user, group] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (user === undefined || user === "0")
    throw new ToolError("USAGE", `--run-as "${text}" is no ordinary user`, {
      hint: "write a number above 0, such as 1000 or 1000:1000",
    });
  return { user: Number(user), group: Number(group ?? user) };
}
