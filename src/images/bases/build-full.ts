import { join } from "node:path";
import type { DeflatePool } from "../compress/index.ts";
import { isToolError, ProcessError, ToolError } from "../../ground/errors/index.ts";
import { createTempDir, runStream } from "../../ground/process/index.ts";
import { readTar, writeTar } from "../tar/index.ts";
import { renderOneLineSources } from "./apt/sources.ts";
import type { AptPlace } from "./apt/open-apt.ts";
import { architectureFacts } from "./architecture.ts";
import type { DebianArchitecture, DebianBaseOptions } from "./contracts.ts";
import { createContentReader } from "./deb/content.ts";
import { readInstalled } from "./deb/control.ts";
import { openHeap } from "./deb/heap.ts";
import type { PackageEntry } from "./deb/contracts.ts";
import { entriesOf } from "./deb/open-package.ts";
import { layerEntries } from "./deb/tree-to-tar.ts";
import { createTree } from "./deb/tree.ts";
import { factsOfTree } from "./facts.ts";
import { makeLayer } from "./make-layer.ts";
import type { Unpacked } from "./unpack.ts";

export interface FullRequest {
  readonly options: DebianBaseOptions;
  readonly include: readonly string[];
  readonly place: AptPlace;
  readonly pool: DeflatePool;
}

const OWNER = "debian";
/** Left over from the installation, or the host's: they would differ from one machine and day to the next. */
const LEFT_OUT =
  /^(var\/cache\/(apt|debconf|ldconfig)\/.+|var\/lib\/apt\/lists\/.+|var\/log\/.+|etc\/(resolv\.conf|hostname|machine-id)|dev\/.+)$/;

/**
 * Makes a whole Debian with `mmdebstrap`: every essential package, and all maintainer scripts run. Needs root or user
 * namespaces, and for another architecture than the host's an emulator; takes much longer than packages alone, and is
 * made anew every time.
 * @throws ToolError `TOOL_MISSING`, ProcessError `PROCESS_FAILED`.
 */
export async function buildFull(
  architecture: DebianArchitecture,
  { options, include, place, pool }: FullRequest,
): Promise<Unpacked> {
  const { cacheDir, blobs, signal, epochS = 0 } = options;
  options.onProgress?.({ step: "unpack", architecture, label: "mmdebstrap" });
  await using temporary = await createTempDir("full", join(cacheDir, "debian"));
  await using reader = createContentReader();
  const entries = await readSystem(join(temporary.path, "heap"), {
    architecture,
    include,
    place,
    options,
  });
  const tree = createTree();
  tree.addPackage({
    name: OWNER,
    version: "",
    architecture,
    fields: new Map(),
    control: "",
    md5sums: "",
    scripts: new Map(),
    entries,
  });
  tree.linkUsr(OWNER);
  const status = tree.find("var/lib/dpkg/status")?.node;
  if (status?.type !== "file")
    throw new ToolError(
      "ARCHIVE_INVALID",
      "make a full Debian: mmdebstrap's system has no list of packages",
    );
  const installed = readInstalled(Buffer.from(await reader.bytes(status.content)).toString("utf8"));
  options.onProgress?.({ step: "compress", architecture, label: "full" });
  const layer = await makeLayer(
    writeTar(layerEntries(tree, new Set([OWNER]), reader), { mtimeS: epochS }),
    { blobs, cacheDir, pool, signal },
  );
  const facts = factsOfTree(tree, {
    suite: place.suite,
    snapshot: options.snapshot,
    architecture,
    packages: installed,
  });
  return {
    layers: [
      {
        ...layer,
        createdBy: `slipway debian ${place.suite} ${architecture}: full (${installed.length} packages)`,
      },
    ],
    facts,
    notes: [],
    made: 1,
  };
}

async function readSystem(
  heapPath: string,
  {
    architecture,
    include,
    place,
    options,
  }: Omit<FullRequest, "pool"> & { readonly architecture: DebianArchitecture },
): Promise<readonly PackageEntry[]> {
  const { signal, epochS = 0 } = options;
  const command = [
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--format=tar",
    `--architectures=${architectureFacts(architecture).name}`,
    ...(include.length === 0 ? [] : [`--include=${include.join(",")}`]),
    ...place.host.network.map((line) => `--aptopt=${line}`),
    place.suite,
    "-",
    "-",
  ];
  try {
    await using heap = await openHeap(heapPath);
    const tar = readTar(
      runStream(["env", `SOURCE_DATE_EPOCH=${epochS}`, ...command], {
        signal,
        stdin: renderOneLineSources(place.sources, place.keyring),
      }),
    );
    const entries = await entriesOf(tar, {
      owner: OWNER,
      heap,
      isLeftOut: (path) => LEFT_OUT.test(path),
    });
    await heap.flush();
    return entries;
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  const isMissing =
    (error instanceof ProcessError && error.exitCode === 127) ||
    (isToolError(error) && error.code === "TOOL_MISSING");
  if (isMissing)
    return new ToolError(
      "TOOL_MISSING",
      'make a full Debian: "mmdebstrap" is not on this machine',
      { cause: error, hint: "install the package mmdebstrap, or leave --full away" },
    );
  if (!(error instanceof ProcessError)) return error;
  return new ToolError(
    "PROCESS_FAILED",
    `make a full Debian: ${
      error.stderrTail
        .trim()
        .split("\n")
        .findLast((line) => line.startsWith("E:")) ?? error.message
    }`,
    {
      cause: error,
      hint: "mmdebstrap needs root or user namespaces, and qemu-user-static for another architecture",
    },
  );
}
