import { printYaml } from "../../models/description/index.ts";
import type { Fragment } from "./set-value.ts";

/** What a chart says of itself. */
export interface ChartAbout {
  /** A DNS label. */
  readonly name: string;
  readonly description: string;
}

/** Values of the chart, by what stands for them in a template. */
interface Placeholders {
  readonly values: Record<string, unknown>;
  /** Mark in the printed object → expression of the template. */
  readonly marks: Map<string, string>;
}

/**
 * A small Helm chart of the objects: image, pods, resources and variables are values, all else stands as it is rendered. The release's
 * namespace takes the place of the objects' own.
 * @returns texts by their paths in the chart's folder.
 */
export async function chartFiles(
  objects: readonly Fragment[],
  { name, description }: ChartAbout,
): Promise<ReadonlyMap<string, string>> {
  const placeholders: Placeholders = { values: {}, marks: new Map() };
  const files = new Map<string, string>();
  for (const object of objects) {
    const path = `templates/${fileNameOf(object, name)}.yaml`;
    files.set(path, await templateOf(object, placeholders));
  }
  return new Map([
    [
      "Chart.yaml",
      await printYaml({
        apiVersion: "v2",
        name,
        description,
        type: "application",
        version: "0.1.0",
      }),
    ],
    ["values.yaml", await printYaml(placeholders.values)],
    ...files,
  ]);
}

function fileNameOf(object: Fragment, chart: string): string {
  const { name } = object["metadata"] as { readonly name: string }; // every object of ours has one
  const suffix = name === chart ? "" : `-${name.slice(chart.length + 1)}`;
  return `${String(object["kind"]).toLowerCase()}${suffix}`;
}

async function templateOf(object: Fragment, placeholders: Placeholders): Promise<string> {
  const { namespace: _, ...metadata } = object["metadata"] as Fragment;
  const marked = object["kind"] === "Deployment" ? markDeployment(object, placeholders) : object;
  const scaled =
    marked["kind"] === "HorizontalPodAutoscaler" ? markScaler(marked, placeholders) : marked;
  // What looks like a template in the object is text.
  const text = (await printYaml({ ...scaled, metadata })).replaceAll("{{", '{{ "{{" }}');
  return [...placeholders.marks].reduce(
    (filled, [mark, expression]) => filled.replaceAll(mark, expression),
    text,
  );
}

/** Texts that no object has, on lines of their own after they are printed. */
const markOf = (path: string): string => `__slipway_${path.replaceAll(".", "_")}__`;

function mark({ values, marks }: Placeholders, path: string, value: unknown): string {
  const [group = "", key = ""] = path.split(".");
  values[group] = { ...(values[group] as object | undefined), [key]: value };
  marks.set(markOf(path), `{{ .Values.${path} }}`);
  return markOf(path);
}

function markBlock(placeholders: Placeholders, path: string, value: unknown): string {
  const text = mark(placeholders, path, value);
  placeholders.marks.set(text, `{{ toJson .Values.${path} }}`); // JSON is YAML, and needs no indentation
  return text;
}

/** A value for each Deployment, under its track: `stable.image`, `canary.replicas`. */
function markDeployment(object: Fragment, placeholders: Placeholders): Fragment {
  const spec = object["spec"] as Fragment;
  const template = spec["template"] as Fragment;
  const pod = template["spec"] as Fragment;
  const [container = {}] = pod["containers"] as readonly Fragment[];
  const labels = (template["metadata"] as { readonly labels: Readonly<Record<string, string>> })
    .labels;
  const track = labels["slipway.dev/track"] ?? "stable";
  const replicas = spec["replicas"];
  return {
    ...object,
    spec: {
      ...spec,
      ...(replicas === undefined
        ? {}
        : { replicas: mark(placeholders, `${track}.replicas`, replicas) }),
      template: {
        ...template,
        spec: {
          ...pod,
          containers: [
            {
              ...container,
              image: mark(placeholders, `${track}.image`, container["image"]),
              env: markBlock(placeholders, `${track}.env`, container["env"]),
              resources: markBlock(
                placeholders,
                `${track}.resources`,
                container["resources"] ?? {},
              ),
            },
          ],
        },
      },
    },
  };
}

function markScaler(object: Fragment, placeholders: Placeholders): Fragment {
  const spec = object["spec"] as Fragment;
  return {
    ...object,
    spec: {
      ...spec,
      minReplicas: mark(placeholders, "autoscaling.minReplicas", spec["minReplicas"]),
      maxReplicas: mark(placeholders, "autoscaling.maxReplicas", spec["maxReplicas"]),
    },
  };
}
