import { ToolError } from "../../ground/errors/index.ts";
import type { Fragment } from "./set-value.ts";

/** A variable by its value, or by a key of a Secret. */
export type ManifestVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secret: string; readonly key: string };

/** @see Kubernetes, taints and tolerations */
export interface Toleration {
  readonly key?: string;
  readonly operator: "Equal" | "Exists";
  readonly value?: string;
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** Which nodes may run a pod, and as whom it talks to the cluster. */
export interface Scheduling {
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly serviceAccount?: string | undefined;
}

/** What a container is given of a node. */
export interface ResourceOptions {
  /** Graphics cards. Default 0. */
  readonly gpus?: number | undefined;
  /** What the cluster calls a card. Default `nvidia.com/gpu`. */
  readonly gpuResource?: string | undefined;
  /** Such as `500m` or `4`. */
  readonly cpus?: string | undefined;
  /** Such as `16Gi`. */
  readonly memory?: string | undefined;
}

/** What a container must give up. @see Kubernetes, Pod Security Standards, Restricted */
export const CONTAINER_SECURITY: Fragment = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
};

/** The pod's part of what `options` say of nodes and accounts. */
export function schedulingOf({ nodeSelector, tolerations, serviceAccount }: Scheduling): Fragment {
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined || tolerations.length === 0 ? {} : { tolerations }),
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
  };
}

/** An ordinary user, whose group owns the volumes. */
export function podSecurity({
  user,
  group,
}: {
  readonly user: number;
  readonly group: number;
}): Fragment {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: group,
    fsGroup: group,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** A container's `env` entries. */
export function variableEntries(variables: readonly ManifestVariable[]): readonly Fragment[] {
  return variables.map((variable) =>
    "secret" in variable
      ? {
          name: variable.name,
          valueFrom: { secretKeyRef: { name: variable.secret, key: variable.key } },
        }
      : { name: variable.name, value: variable.value },
  );
}

/** Cards, as limits have them; they are asked for by limits alone. */
export function cardLimits({
  gpus = 0,
  gpuResource = "nvidia.com/gpu",
}: ResourceOptions): Readonly<Record<string, string>> {
  return gpus > 0 ? { [gpuResource]: String(gpus) } : {};
}

/** A quantity that a flag gives. @throws ToolError `USAGE`. @see Kubernetes, resource quantities */
export function quantityOf(flag: string, text: string): string {
  if (/^\d+(\.\d+)?(m|[kMGTPE]i?|Ki)?$/.test(text)) return text;
  throw new ToolError("USAGE", `--${flag} "${text}" is no quantity`, {
    hint: "write it as 500m, 4, 16Gi",
  });
}

/** Texts of options that are parts of an object. */
export interface ObjectWords {
  /** Names of objects, by their flags. */
  readonly names: Readonly<Record<string, string | undefined>>;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly env?: readonly ManifestVariable[] | undefined;
}

/** Refuses texts that a cluster would refuse only when the object is there already. @throws ToolError `USAGE`. */
export function checkObjectWords({ names, nodeSelector, env }: ObjectWords): void {
  for (const [flag, text] of Object.entries(names))
    if (text !== undefined && !DNS_NAME.test(text))
      throw new ToolError("USAGE", `--${flag} "${text}" is no name of an object`, {
        hint: "lower-case letters, digits, dashes and dots",
      });
  for (const [label, value] of Object.entries(nodeSelector ?? {}))
    if (!LABEL_KEY.test(label) || !LABEL_VALUE.test(value))
      throw new ToolError("USAGE", `--node-selector "${label}=${value}" is no label with a value`, {
        hint: "write --node-selector accelerator=a100",
      });
  for (const { name } of env ?? [])
    if (!/^[A-Za-z_][\w.-]*$/.test(name))
      throw new ToolError("USAGE", `the variable "${name}" has a name that no cluster takes`);
}

/** @see Kubernetes, object names and IDs; labels and selectors */
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;

/** A DNS label out of a name: lower case, other letters become dashes. Empty when nothing is left. */
export function dnsLabelOf(name: string, maxLength: number): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, maxLength)
    .replaceAll(/^-+|-+$/g, "");
}
