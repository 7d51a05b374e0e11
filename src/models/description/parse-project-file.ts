import { parseDocumentBy } from "./parse-document.ts";
import { MAX_PROJECT_FILE_BYTES, PROJECT_FILE_NAME, type ProjectFile } from "./project-file.ts";
import { parseProjectGraph } from "./parse-project-graph.ts";
import { PROJECT_SCHEMA } from "./project-schema.ts";

/**
 * Reads a project file and checks it against the schema. An empty file is a project without settings.
 *
 * @param file - how the file is called in errors.
 * @throws ProjectError `PROJECT_INVALID` with file, line, column and key path; an unknown key names the nearest known one.
 */
export async function parseProjectFile(
  text: string,
  file: string = PROJECT_FILE_NAME,
): Promise<ProjectFile> {
  const { value, refuse } = await parseDocumentBy(text, {
    file,
    what: "the project file",
    maxBytes: MAX_PROJECT_FILE_BYTES,
    schema: PROJECT_SCHEMA,
  });
  const { graph, ...rest } = value;
  const project = normalise(rest);
  return graph === undefined
    ? project
    : { ...project, graph: parseProjectGraph({ value: graph, path: ["graph"] }, refuse) };
}

/** Turns what may be written in two ways into one. The schema has checked the value. */
function normalise(value: Readonly<Record<string, unknown>>): ProjectFile {
  const project = value as ProjectFile;
  const requirements: unknown = project.python?.requirements;
  if (typeof requirements !== "string") return project;
  return { ...project, python: { ...project.python, requirements: [requirements] } };
}
