import { configOf } from "../../images/oci/index.ts";
import type { PackProject } from "../../images/pack/index.ts";
import { SERVER_ROOT } from "../../jobs/uai/index.ts";
import type { Packed } from "../pack/deliver.ts";

/** What a Dockerfile is written of: the image as it was made, and what it was made from. */
export interface DockerfileSource {
  /** Full name of the image; the server's files come out of it. */
  readonly name: string;
  readonly project: PackProject;
  readonly packed: Packed;
  /** As the user named it, or the recipe. */
  readonly base: string;
  readonly confName: string;
}

const SITE_PACKAGES = "/opt/slipway/site-packages";

/**
 * A Dockerfile for the like of an image that was packed, with the folder as its session. The lines of the config are read from the image
 * itself, so that they cannot differ from it. The server and the configuration have no place in the folder: they are copied out of the image.
 */
export async function dockerfileOf({
  name,
  project,
  packed,
  base,
  confName,
}: DockerfileSource): Promise<string> {
  const installs = [
    ...project.requirements.flatMap((file) => ["-r", `/tmp/${file}`]),
    ...project.requirementLines.map(quote),
  ];
  return [
    `# The like of ${name}, which was made without this file. Build it in the folder that was packed.`,
    `FROM ${base}`,
    "# Packages. The image has them as one layer for each.",
    ...project.requirements.map((file) => `COPY ${JSON.stringify([file, `/tmp/${file}`])}`),
    ...(installs.length === 0
      ? []
      : [
          `RUN python3 -m pip install --no-cache-dir --target ${SITE_PACKAGES} ${[...indexFlags(project), ...installs].join(" ")}`,
        ]),
    ...(project.startCommand === undefined ? serverLines(name) : []),
    "# Weights, then code, then the configuration.",
    ...(project.modelFiles ?? []).map(
      (file) => `COPY ${JSON.stringify([file, `${SERVER_ROOT}/${file}`])}`,
    ),
    `COPY ./ ${SERVER_ROOT}/`,
    `COPY --from=${name} ${JSON.stringify([`${SERVER_ROOT}/${confName}`, `${SERVER_ROOT}/${confName}`])}`,
    ...(await configLines(packed)),
    "",
  ].join("\n");
}

function serverLines(name: string): readonly string[] {
  return [
    "# The server: Node, the program, what starts Python classes, and the description that it reads.",
    `COPY --from=${name} /opt/slipway/node /opt/slipway/*.mjs /opt/slipway/model.json /opt/slipway/`,
    `COPY --from=${name} /opt/slipway/python/ /opt/slipway/python/`,
    `COPY --from=${name} /opt/slipway/bin/ /opt/slipway/bin/`,
  ];
}

function indexFlags({
  indexes: { indexUrl, extraIndexUrls = [], findLinks = [] } = {},
}: PackProject): readonly string[] {
  const flag = (name: string, place: string): readonly string[] => [
    name,
    quote(withoutCredentials(place)),
  ];
  return [
    ...(indexUrl === undefined ? [] : flag("--index-url", indexUrl)),
    ...extraIndexUrls.flatMap((url) => flag("--extra-index-url", url)),
    ...findLinks.flatMap((place) => flag("--find-links", place)),
  ];
}

/** The address of an index may hold a password, and this file is passed on. */
function withoutCredentials(place: string): string {
  return place.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** What the image runs as, where it differs from its base. */
async function configLines({ image, base }: Packed): Promise<readonly string[]> {
  const { config = {} } = await configOf(image.image);
  const { config: inherited = {} } = await configOf(base.image);
  const variables = (config.Env ?? []).filter((entry) => inherited.Env?.includes(entry) !== true);
  const changed = <K extends keyof typeof config>(
    key: K,
    line: (value: NonNullable<(typeof config)[K]>) => string,
  ): readonly string[] => {
    const value = config[key];
    return value === undefined ||
      value === null ||
      JSON.stringify(value) === JSON.stringify(inherited[key])
      ? []
      : [line(value)];
  };
  return [
    ...variables.map(
      (entry) =>
        `ENV ${entry.slice(0, entry.indexOf("="))}=${literal(entry.slice(entry.indexOf("=") + 1))}`,
    ),
    ...Object.keys(config.ExposedPorts ?? {}).map((port) => `EXPOSE ${port}`),
    ...changed("WorkingDir", (folder) => `WORKDIR ${folder}`),
    ...changed("User", (user) => `USER ${user}`),
    ...changed("StopSignal", (signal) => `STOPSIGNAL ${signal}`),
    ...changed("Entrypoint", (words) => `ENTRYPOINT ${JSON.stringify(words)}`),
    `CMD ${JSON.stringify(config.Cmd ?? [])}`,
  ];
}

/** A value that a Dockerfile does not take apart. */
function literal(value: string): string {
  return `"${value.replaceAll(/["\\$]/g, String.raw`\$&`)}"`;
}

/** A word for the shell. */
function quote(word: string): string {
  return /^[\w.:/=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
