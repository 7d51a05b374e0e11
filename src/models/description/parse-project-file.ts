import { parseDocumentBy } from "./parse-document.ts";
import type { PreprocessSettings } from "./processing.ts";
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
  return {
    ...project,
    ...(typeof requirements === "string" && {
      python: { ...project.python, requirements: [requirements] },
    }),
    ...(project.preprocess !== undefined && { preprocess: plainPreprocess(project.preprocess) }),
  };
}

/** One number for all channels is a list of one, and a fraction is a number. */
function plainPreprocess(settings: PreprocessSettings): PreprocessSettings {
  const { mean, std, scale, ...others } = settings as Omit<
    PreprocessSettings,
    "mean" | "std" | "scale"
  > & {
    readonly mean?: number | readonly number[];
    readonly std?: number | readonly number[];
    readonly scale?: number | string;
  }; // the schema lets both forms through
  return {
    ...others,
    ...(scale !== undefined && { scale: typeof scale === "string" ? fraction(scale) : scale }),
    ...(mean !== undefined && { mean: typeof mean === "number" ? [mean] : mean }),
    ...(std !== undefined && { std: typeof std === "number" ? [std] : std }),
  };
}

function fraction(text: string): number {
  return 1 / Number(text.slice("1/".length));
}
