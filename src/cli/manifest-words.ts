import type { ManifestOptions, ManifestVariable, Toleration } from "../app/words/index.ts";
import { ToolError } from "../ground/errors/index.ts";

/** What a cluster must be told about a job's pods, as words of a command line. */
export interface PodFlags {
  readonly nodeSelector?: readonly string[];
  readonly toleration?: readonly string[];
  readonly serviceAccount?: string;
  readonly priorityClass?: string;
  readonly gpuResource?: string;
  readonly env?: readonly string[];
  readonly secretEnv?: readonly string[];
  readonly deadline?: string;
  readonly grace?: string;
  readonly runAs?: string;
}

/** @throws ToolError `USAGE` for a word that has not the form of its flag. */
export function podOptions(flags: PodFlags): Partial<ManifestOptions> {
  return {
    nodeSelector:
      flags.nodeSelector === undefined
        ? undefined
        : Object.fromEntries(flags.nodeSelector.map(selectorEntry)),
    tolerations: flags.toleration?.map(tolerationOf),
    serviceAccount: flags.serviceAccount,
    priorityClass: flags.priorityClass,
    gpuResource: flags.gpuResource,
    env: [...(flags.env ?? []).map(plainVariable), ...(flags.secretEnv ?? []).map(secretVariable)],
    deadlineS: wholeNumber(flags.deadline, "deadline"),
    graceS: wholeNumber(flags.grace, "grace"),
    runAs: userOf(flags.runAs),
  };
}

/** A whole number of a flag. @throws ToolError `USAGE`. */
export function wholeNumber(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ToolError("USAGE", `--${flag} "${text}" is not a whole number`);
}

function selectorEntry(entry: string): readonly [string, string] {
  const [, label, value = ""] = /^([^=]+)=(.*)$/s.exec(entry) ?? [];
  if (label !== undefined) return [label, value];
  throw new ToolError("USAGE", `--node-selector "${entry}" is no label with a value`, {
    hint: "write --node-selector accelerator=a100",
  });
}

const TOLERATION =
  /^(\*(?!=)|[^=:*\s]+)(?:=([^:\s]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/;

/** `KEY[=VALUE][:EFFECT]`, as `kubectl taint` writes a taint; `*` takes any key. */
function tolerationOf(text: string): Toleration {
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

function plainVariable(text: string): ManifestVariable {
  const [, name, value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined) return { name, value };
  throw new ToolError("USAGE", `--env "${text}" has no value`, {
    hint: "write --env NAME=VALUE; a secret is --secret-env NAME=SECRET/KEY",
  });
}

function secretVariable(text: string): ManifestVariable {
  const [, name, secret, key] = /^([^=]+)=([a-z0-9][a-z0-9.-]*)\/([\w.-]+)$/.exec(text) ?? [];
  if (name !== undefined && secret !== undefined && key !== undefined) return { name, secret, key };
  throw new ToolError("USAGE", `--secret-env names no key of a Secret`, {
    hint: "write --secret-env NAME=SECRET/KEY; the value stays in the cluster",
  });
}

function userOf(text: string | undefined): ManifestOptions["runAs"] {
  if (text === undefined) return undefined;
  const [, user, group] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (user === undefined || user === "0")
    throw new ToolError("USAGE", `--run-as "${text}" is no ordinary user`, {
      hint: "write a number above 0, such as 1000 or 1000:1000",
    });
  return { user: Number(user), group: Number(group ?? user) };
}
