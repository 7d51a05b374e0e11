import { CONTRACTS } from "./description.ts";
import type { ProjectFile } from "./project-file.ts";

const SCHEMA_LINE =
  "# yaml-language-server: $schema=./node_modules/slipway/schema/slipway.schema.json";

const COMMENTS: Readonly<Partial<Record<keyof ProjectFile, string>>> = {
  image: "where `slipway pack --push` puts the image",
  model: "a file or a folder",
  code: "the class that answers requests",
  service: "MODEL | ROUTER | TRANSFORMER | COMBINER | OUTLIER_DETECTOR",
  contract: CONTRACTS.join(" | "),
  base: "a reference in a registry, or store:NAME",
  platforms: "linux/amd64 and linux/arm64 are served",
};

/** The text of a project file: what is given, in the schema's order, with a comment where a choice is worth knowing. `parseProjectFile` reads it back. */
export async function printProjectFile(
  project: ProjectFile,
  options: { readonly schemaLine?: string } = {},
): Promise<string> {
  const { Document } = await import("yaml");
  const document = new Document(project);
  document.commentBefore = ` ${(options.schemaLine ?? SCHEMA_LINE).replace(/^#\s*/, "")}`;
  const { contents } = document;
  for (const pair of (
    contents as {
      readonly items?: readonly { readonly key: unknown; readonly value: unknown }[];
    } | null
  )?.items ?? []) {
    const key = (pair.key as { readonly value?: unknown }).value;
    const comment = COMMENTS[key as keyof ProjectFile];
    if (comment !== undefined && isScalar(pair.value)) pair.value.comment = ` ${comment}`;
  }
  return document.toString({ lineWidth: 0 });
}

function isScalar(node: unknown): node is { comment?: string } {
  return typeof node === "object" && node !== null && "value" in node;
}
