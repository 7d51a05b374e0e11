import { posix } from "node:path";
import { ContentError } from "../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { configOf, uncompressed, type Image } from "../oci/index.ts";
import { readTar } from "../tar/index.ts";
import { architectureOf } from "./architecture.ts";
import type { BaseFacts, InstalledPackage, PythonFacts } from "./contracts.ts";
import { readInstalled } from "./deb/control.ts";
import { factsOfImage, upstreamVersion } from "./facts.ts";

/** What is collected while the layers pass by. */
interface Findings {
  readonly texts: Map<string, string>;
  readonly libraries: Set<string>;
  readonly pythons: Set<string>;
}

const STATUS = "var/lib/dpkg/status";
const STATUS_D = "var/lib/dpkg/status.d/";
const RELEASES = ["etc/os-release", "usr/lib/os-release"];
const MAX_TEXT_BYTES = 32 * 2 ** 20;

/**
 * Learns of any Debian image what `addDebianPackages` needs. One of ours says it in its labels; of others every layer is
 * read, so this moves the whole image once.
 * @returns `undefined` for an image that is not Debian.
 * @throws ContentError for damaged or hostile layers.
 */
export async function inspectDebian(
  image: Image,
  options: CallOptions = {},
): Promise<BaseFacts | undefined> {
  const config = await configOf(image, options);
  const own = factsOfImage(config);
  if (own !== undefined) return own;
  const findings: Findings = { texts: new Map(), libraries: new Set(), pythons: new Set() };
  for (const layer of await image.layers(options)) {
    const { mediaType } = await layer.descriptor(options);
    await readLayer(uncompressed(layer.open(options), mediaType, options), findings);
  }
  const suite = suiteOf(findings.texts);
  const packages = packagesOf(findings.texts);
  if (suite === undefined || packages.length === 0) return undefined;
  const libc = packages.find(({ name }) => name === "libc6");
  return {
    suite,
    architecture: architectureOf(config),
    glibc: libc === undefined ? "" : upstreamVersion(libc.version),
    ...pythonOf(findings.pythons, packages),
    packages,
    sonames: [...findings.libraries].sort(),
    directories: {},
  };
}

async function readLayer(tar: Bytes, { texts, libraries, pythons }: Findings): Promise<void> {
  for await (const { entry, content } of readTar(tar)) {
    const { path } = entry;
    const folder = posix.dirname(path);
    if (
      path === STATUS ||
      RELEASES.includes(path) ||
      (path.startsWith(STATUS_D) && !path.endsWith(".md5sums"))
    ) {
      if (entry.type === "file") texts.set(path, await readFactText(content, path));
    } else if (
      /^(usr\/)?(local\/)?lib(64)?(\/[a-z0-9_]+-linux-gnu)?$|^usr\/local\/lib$/.test(folder) &&
      /\.so(\.|$)/.test(path)
    ) {
      libraries.add(posix.basename(path));
    } else if (/^usr\/(local\/)?bin\/python3\.\d+$/.test(path)) {
      pythons.add(path);
    }
  }
}

async function readFactText(content: Bytes, path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > MAX_TEXT_BYTES)
      throw new ContentError(
        "LIMIT_EXCEEDED",
        `read a base image: "/${path}" has more than ${MAX_TEXT_BYTES} bytes`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Debian's own code name; derived systems have archives of their own. */
function suiteOf(texts: ReadonlyMap<string, string>): string | undefined {
  const text = RELEASES.map((path) => texts.get(path)).find((one) => one !== undefined) ?? "";
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}="?([a-z0-9.-]+)"?$`, "m").exec(text)?.[1];
  return value("ID") === "debian" ? value("VERSION_CODENAME") : undefined;
}

function packagesOf(texts: ReadonlyMap<string, string>): readonly InstalledPackage[] {
  const single = [...texts].filter(([path]) => path.startsWith(STATUS_D)).map(([, text]) => text);
  const packages = [texts.get(STATUS) ?? "", ...single].flatMap(readInstalled);
  return packages.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** An interpreter that was built into `/usr/local` comes before Debian's, as on PATH. */
function pythonOf(
  pythons: ReadonlySet<string>,
  packages: readonly InstalledPackage[],
): { readonly python?: PythonFacts } {
  const path =
    [...pythons].sort().findLast((one) => one.startsWith("usr/local/")) ??
    [...pythons].sort().at(-1);
  if (path === undefined) return {};
  const name = posix.basename(path);
  const item = path.startsWith("usr/local/")
    ? undefined
    : packages.find((one) => one.name === `${name}-minimal`);
  const version = item === undefined ? name.slice("python".length) : upstreamVersion(item.version);
  const sitePackages = path.startsWith("usr/local/")
    ? `/usr/local/lib/${name}/site-packages`
    : "/usr/lib/python3/dist-packages";
  return { python: { version, executable: `/${path}`, sitePackages } };
}
