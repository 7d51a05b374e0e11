import { posix } from "node:path";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import { configOf, manifestOf, uncompressed, type Digest, type Image } from "../../oci/index.ts";
import { OPAQUE_WHITEOUT, readTar, WHITEOUT_PREFIX, type TarEntry } from "../../tar/index.ts";
import { moduleOf } from "../../python-packages/index.ts";
import type { BaseFacts, JsonCache } from "../../recipe/index.ts";

/** What reading the layers of a base gathers. */
interface Findings {
  readonly pythons: Map<string, string>;
  readonly sonames: Set<string>;
  readonly directories: Map<string, { mode: number; uid: number; gid: number }>;
  glibc: string | undefined;
  hasPlainName: boolean;
  /** Modules in the folders of packages, by where they stand. */
  readonly modules: Map<string, string>;
  /** A file makes Python look elsewhere too. */
  hasOtherPaths: boolean;
  /** Parts of the old inference service's server. */
  readonly uaiServer: Set<"settings" | "application">;
}

const LIBRARY_FOLDERS =
  /^(?:usr\/)?(?:lib|lib64)(?:\/[a-z0-9_]+-linux-gnu[a-z0-9]*)?$|^usr\/local\/lib$/;
/** Folders that Python finds modules in, beside its own. */
const SITE_FOLDER = /^(.*\blib\/python3(?:\.\d+)?\/(?:site|dist)-packages)\/(.+)$/;
const OTHER_PATHS = /^[^/]+\.(?:pth|egg-link)$|^[^/]+\.egg(?:\/|$)/;
const HARMLESS_PTH =
  /^(?:distutils-precedence|.*nspkg|google.*|protobuf.*|coloredlogs|a1_coverage)\.pth$/;
const UAI_SETTINGS = "ai-ucloud-client-django/gunicorn.conf.py";
const UAI_APPLICATION = /^ai-ucloud-client-django\/httpserver\/wsgi\.(?:py|pyc|so)$/;
/** Deep enough for the packages of any Python; what lies deeper is none of ours. */
const MAX_FOLDER_DEPTH = 8;
const MAX_LIBC_BYTES = 8 * 2 ** 20;

/**
 * Finds out what a base holds by reading its layers once; remembered by the base's digest, so that the next pack reads nothing.
 * @throws what reading the layers throws.
 */
export async function inspectBase(
  image: Image,
  about: {
    readonly digest: Digest;
    readonly cache: JsonCache;
    readonly onRead?: (() => void) | undefined;
  },
  options: CallOptions = {},
): Promise<BaseFacts> {
  const key = `base 5 ${about.digest}`;
  const known = parseFacts(await about.cache.get(key));
  if (known !== undefined) return known;
  about.onRead?.();
  const findings: Findings = {
    pythons: new Map(),
    sonames: new Set(),
    directories: new Map(),
    glibc: undefined,
    hasPlainName: false,
    uaiServer: new Set(),
    modules: new Map(),
    hasOtherPaths: false,
  };
  const [layers, manifest] = await Promise.all([image.layers(options), manifestOf(image, options)]);
  for (const [index, layer] of layers.entries()) {
    const mediaType = manifest.layers[index]?.mediaType ?? "";
    for await (const { entry, content } of readTar(
      uncompressed(layer.open(options), mediaType, options),
      options,
    ))
      await note(findings, entry, content);
  }
  const facts = toFacts(findings, (await configOf(image, options)).config?.Env ?? []);
  await about.cache.set(key, facts);
  return facts;
}

async function note(
  findings: Findings,
  entry: TarEntry,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (posix.basename(entry.path).startsWith(WHITEOUT_PREFIX)) noteWhiteout(findings, entry.path);
  else if (entry.type === "directory") noteFolder(findings, entry);
  else if (entry.type !== "device") await noteFile(findings, entry, content);
}

function noteFolder(findings: Findings, { path, mode, uid = 0, gid = 0 }: TarEntry): void {
  const isPlain = mode === 0o755 && uid === 0 && gid === 0;
  if (isPlain) findings.directories.delete(path);
  else if (path.split("/").length <= MAX_FOLDER_DEPTH)
    findings.directories.set(path, { mode, uid, gid });
}

async function noteFile(
  findings: Findings,
  { path, type, size }: TarEntry,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const [folder, name] = [posix.dirname(path), posix.basename(path)];
  if (LIBRARY_FOLDERS.test(folder) && /\.so(\.|$)/.test(name)) findings.sonames.add(name);
  if (/^python3\.\d+$/.test(name) && /^(usr\/|usr\/local\/|opt\/[^/]+\/)?bin$/.test(folder))
    findings.pythons.set(`/${path}`, name.slice("python".length));
  noteUaiServer(findings, path);
  noteModule(findings, path);
  if (path === "usr/bin/python") findings.hasPlainName = true;
  if (/^libc-2\.\d+\.so$/.test(name)) findings.glibc = name.slice("libc-".length, -".so".length);
  if (name === "libc.so.6" && type === "file" && size < MAX_LIBC_BYTES)
    findings.glibc = glibcOf(Buffer.concat(await Array.fromAsync(content))) ?? findings.glibc;
}

/** A `.pth` file of a package that needs one leads nowhere else. */
function noteModule(findings: Findings, path: string): void {
  const [folder = "", below] = SITE_FOLDER.exec(path)?.slice(1) ?? [];
  if (below === undefined) return;
  if (OTHER_PATHS.test(below) && !HARMLESS_PTH.test(below)) findings.hasOtherPaths = true;
  const module = moduleOf(below);
  if (module !== undefined)
    findings.modules.set(`${folder}/${below.includes("/") ? module : below}`, module);
}

function noteUaiServer({ uaiServer }: Findings, path: string): void {
  if (path === UAI_SETTINGS) uaiServer.add("settings");
  if (UAI_APPLICATION.test(path)) uaiServer.add("application");
}

/** An upper layer takes something away. Libraries stay noted, since they are known by name only. @see image-spec, layer.md, "Whiteouts" */
function noteWhiteout(findings: Findings, whiteout: string): void {
  const [folder, name] = [posix.dirname(whiteout), posix.basename(whiteout)];
  const hidden = posix.join(folder, name.slice(WHITEOUT_PREFIX.length));
  const isOpaque = name === OPAQUE_WHITEOUT; // all below the folder
  const isHidden = (path: string): boolean =>
    isOpaque ? path.startsWith(`${folder}/`) : path === hidden || path.startsWith(`${hidden}/`);
  for (const path of findings.pythons.keys())
    if (isHidden(path.slice(1))) findings.pythons.delete(path);
  for (const path of findings.directories.keys())
    if (isHidden(path)) findings.directories.delete(path);
  for (const path of findings.modules.keys()) if (isHidden(path)) findings.modules.delete(path);
  if (isHidden("usr/bin/python")) findings.hasPlainName = false;
}

/** glibc says its version in a sentence of its own. */
function glibcOf(library: Buffer): string | undefined {
  return /GNU C Library \([^)]*\) (?:stable|development) release version (\d+\.\d+)/.exec(
    library.toString("latin1"),
  )?.[1];
}

function toFacts(findings: Findings, environment: readonly string[]): BaseFacts {
  const path = (
    environment.find((entry) => entry.startsWith("PATH=")) ?? "PATH=/usr/local/bin:/usr/bin:/bin"
  )
    .slice("PATH=".length)
    .split(":");
  const found = [...findings.pythons].sort(
    ([one], [other]) =>
      rank(path, one) - rank(path, other) ||
      compareVersions(findings.pythons.get(other) ?? "", findings.pythons.get(one) ?? ""),
  );
  const [executable, version] = found[0] ?? [];
  return {
    ...(executable === undefined || version === undefined
      ? {}
      : {
          python: {
            version,
            executable,
            sitePackages: sitePackagesOf(executable, version),
            hasPlainName: findings.hasPlainName,
          },
        }),
    ...(findings.glibc === undefined ? {} : { glibc: findings.glibc }),
    ...(findings.uaiServer.size < 2 ? {} : { hasUaiServer: true }),
    ...(findings.hasOtherPaths || environment.some((entry) => entry.startsWith("PYTHONPATH="))
      ? {}
      : { modules: [...new Set(findings.modules.values())].sort() }),
    sonames: [...findings.sonames].sort(),
    directories: Object.fromEntries(
      [...findings.directories]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, own]) => [`/${name}`, own]),
    ),
  };
}

function rank(path: readonly string[], executable: string): number {
  const index = path.indexOf(posix.dirname(executable));
  return index < 0 ? path.length : index;
}

function compareVersions(one: string, other: string): number {
  return Number(one.split(".")[1] ?? 0) - Number(other.split(".")[1] ?? 0);
}

function sitePackagesOf(executable: string, version: string): string {
  const prefix = posix.dirname(posix.dirname(executable));
  return prefix === "/usr"
    ? "/usr/lib/python3/dist-packages"
    : posix.join(prefix, `lib/python${version}/site-packages`);
}

function parseFacts(value: unknown): BaseFacts | undefined {
  const facts = (value ?? {}) as Partial<BaseFacts>;
  return Array.isArray(facts.sonames) && typeof facts.directories === "object"
    ? (facts as BaseFacts)
    : undefined;
}
