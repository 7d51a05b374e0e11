import { ContentError } from "../../ground/errors/index.ts";
import { digestOf, parseDigest, type Digest, type ImageConfig } from "../oci/index.ts";
import { architectureFacts } from "./architecture.ts";
import type {
  BaseFacts,
  DebianArchitecture,
  DirectoryFacts,
  InstalledPackage,
  PythonFacts,
} from "./contracts.ts";
import { pythonName } from "./deb/effects.ts";
import { librariesByFolder } from "./deb/library-cache.ts";
import type { Tree } from "./deb/tree.ts";

const PREFIX = "dev.slipway.base.";

export interface FactsRequest {
  readonly suite: string;
  readonly snapshot?: string | undefined;
  readonly architecture: DebianArchitecture;
  /** What the tree has. */
  readonly packages: readonly InstalledPackage[];
  /** The base that the tree goes onto. */
  readonly before?: BaseFacts | undefined;
}

/** What a tree and its packages say of a base. */
export function factsOfTree(tree: Tree, request: FactsRequest): BaseFacts {
  const { suite, snapshot, architecture, before, packages: added } = request;
  const replaced = new Set(added.map(({ name }) => name));
  const packages = [
    ...(before?.packages ?? []).filter(({ name }) => !replaced.has(name)),
    ...added,
  ].sort((one, other) => (one.name < other.name ? -1 : 1));
  const libc = packages.find(({ name }) => name === "libc6");
  return {
    suite,
    architecture,
    glibc: libc === undefined ? (before?.glibc ?? "") : upstreamVersion(libc.version),
    python: pythonFacts(tree, packages) ?? before?.python,
    packages,
    sonames: [...new Set([...(before?.sonames ?? []), ...sonamesOf(tree, architecture)])].sort(),
    directories: { ...before?.directories, ...directoriesOf(tree) },
    packagesDigest: digestOf(
      Buffer.from(
        packages
          .map(({ name, version, architecture: own }) => `${name} ${version} ${own}\n`)
          .join(""),
      ),
    ),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/** Facts as labels of an image. */
export function factsToLabels(facts: BaseFacts): Readonly<Record<string, string>> {
  const packages = facts.packages.map(({ name, version, architecture, provides }) => [
    name,
    version,
    architecture,
    ...(provides === undefined ? [] : [provides]),
  ]);
  return {
    [`${PREFIX}suite`]: facts.suite,
    [`${PREFIX}architecture`]: facts.architecture,
    [`${PREFIX}glibc`]: facts.glibc,
    ...(facts.python === undefined
      ? {}
      : {
          [`${PREFIX}python.version`]: facts.python.version,
          [`${PREFIX}python.executable`]: facts.python.executable,
          [`${PREFIX}python.site-packages`]: facts.python.sitePackages,
        }),
    ...(facts.snapshot === undefined ? {} : { [`${PREFIX}snapshot`]: facts.snapshot }),
    ...(facts.packagesDigest === undefined
      ? {}
      : { [`${PREFIX}packages.digest`]: facts.packagesDigest }),
    [`${PREFIX}packages`]: JSON.stringify(packages),
    [`${PREFIX}sonames`]: facts.sonames.join(" "),
    [`${PREFIX}directories`]: JSON.stringify(
      Object.fromEntries(
        Object.entries(facts.directories).map(([path, { mode, uid, gid }]) => [
          path,
          [mode.toString(8).padStart(4, "0"), uid, gid],
        ]),
      ),
    ),
  };
}

/**
 * Reads what `factsToLabels` wrote. @returns `undefined` for an image that is no base of ours.
 * @throws ContentError `MANIFEST_INVALID` or `DIGEST_INVALID` when the labels are damaged, `UNSUPPORTED` for another architecture.
 */
export function readBaseFacts(
  labels: Readonly<Record<string, string>> | undefined,
): BaseFacts | undefined {
  const label = (name: string): string | undefined =>
    labels !== undefined && Object.hasOwn(labels, PREFIX + name)
      ? labels[PREFIX + name]
      : undefined;
  const suite = label("suite");
  const packages = label("packages");
  if (suite === undefined || packages === undefined) return undefined;
  const digest = label("packages.digest");
  const snapshot = label("snapshot");
  return {
    suite,
    architecture: architectureFacts(label("architecture") ?? "").name,
    glibc: label("glibc") ?? "",
    ...pythonOfLabels(label),
    packages: parsePackages(packages),
    sonames: (label("sonames") ?? "").split(" ").filter((name) => name !== ""),
    directories: parseDirectories(label("directories") ?? "{}"),
    ...(digest === undefined ? {} : { packagesDigest: parseDigest(digest) }),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/** The label that binds facts to the layers that they speak of. @param diffIds - of the image, base layer first */
export function layersLabel(diffIds: readonly Digest[]): Readonly<Record<string, string>> {
  return { [`${PREFIX}layers`]: digestOf(Buffer.from(diffIds.join("\n"))) };
}

/**
 * Reads what an image's labels say of its layers. @returns `undefined` for an image that is no base of ours, and for one that has other layers
 * than its labels speak of: they were inherited.
 * @throws as `readBaseFacts`.
 */
export function factsOfImage({
  config,
  rootfs,
}: Pick<ImageConfig, "config" | "rootfs">): BaseFacts | undefined {
  const labels = config?.Labels;
  const bound = labels?.[`${PREFIX}layers`];
  const isOwn = bound === undefined || bound === layersLabel(rootfs.diff_ids)[`${PREFIX}layers`];
  return isOwn ? readBaseFacts(labels) : undefined;
}

function pythonOfLabels(label: (name: string) => string | undefined): Pick<BaseFacts, "python"> {
  const version = label("python.version");
  const executable = label("python.executable");
  if (version === undefined || executable === undefined) return {};
  return { python: { version, executable, sitePackages: label("python.site-packages") ?? "" } };
}

/** The upstream part of a Debian version: without epoch and revision. */
export function upstreamVersion(version: string): string {
  return version
    .replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace(/[+~].*$/, "");
}

function pythonFacts(tree: Tree, packages: readonly InstalledPackage[]): PythonFacts | undefined {
  const name = pythonName(tree);
  const item = packages.find((one) => one.name === `${name}-minimal`);
  if (name === undefined || item === undefined) return undefined;
  return {
    version: upstreamVersion(item.version),
    executable: `/usr/bin/${name}`,
    sitePackages: "/usr/lib/python3/dist-packages",
  };
}

function sonamesOf(tree: Tree, architecture: DebianArchitecture): readonly string[] {
  const { triplet } = architectureFacts(architecture);
  const byFolder = librariesByFolder(tree);
  return [
    `usr/lib/${triplet}`,
    "usr/lib",
    "usr/lib64",
    `usr/local/lib/${triplet}`,
    "usr/local/lib",
  ].flatMap((folder) => byFolder.get(folder) ?? []);
}

function directoriesOf(tree: Tree): Readonly<Record<string, DirectoryFacts>> {
  const special = [...tree.nodes].flatMap(([path, node]) =>
    node.type === "directory" && (node.mode !== 0o755 || node.uid !== 0 || node.gid !== 0)
      ? [[`/${path}`, { mode: node.mode, uid: node.uid, gid: node.gid }] as const]
      : [],
  );
  return Object.fromEntries(special.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function parsePackages(text: string): readonly InstalledPackage[] {
  const value = parseJson(text, "packages");
  if (!Array.isArray(value)) throw damaged("packages");
  return value.map((item: unknown) => {
    const [name, version, architecture, provides]: readonly unknown[] = Array.isArray(item)
      ? item
      : [];
    if (
      !isLine(name) ||
      !isLine(version) ||
      !isLine(architecture) ||
      !(provides === undefined || isLine(provides))
    )
      throw damaged("packages");
    return { name, version, architecture, ...(provides === undefined ? {} : { provides }) };
  });
}

/** Text that can stand in a dpkg status file without becoming another field. */
function isLine(value: unknown): value is string {
  return typeof value === "string" && !/[\r\n]/.test(value);
}

function parseDirectories(text: string): Readonly<Record<string, DirectoryFacts>> {
  const value = parseJson(text, "directories");
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw damaged("directories");
  return Object.fromEntries(
    Object.entries(value).map(([path, facts]: [string, unknown]) => {
      if (
        !Array.isArray(facts) ||
        typeof facts[0] !== "string" ||
        !/^[0-7]{4}$/.test(facts[0]) ||
        !Number.isInteger(facts[1]) ||
        !Number.isInteger(facts[2])
      )
        throw damaged("directories");
      return [
        path,
        { mode: Number.parseInt(facts[0], 8), uid: facts[1] as number, gid: facts[2] as number },
      ];
    }),
  );
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(name, error);
  }
}

function damaged(name: string, cause?: unknown): ContentError {
  return new ContentError(
    "MANIFEST_INVALID",
    `read the facts of a Debian base: the label "${PREFIX}${name}" is damaged`,
    { cause, hint: "make the base again" },
  );
}
