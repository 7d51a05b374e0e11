import { ToolError } from "../../ground/errors/index.ts";

/** A shared library or extension module of a package. */
export interface SharedLibrary {
  /** Below site-packages. */
  readonly path: string;
  readonly soname?: string;
  /** File names of the libraries that it is linked with. */
  readonly needed: readonly string[];
}

/** A library that nothing in the image provides. */
export interface MissingLibrary {
  readonly library: string;
  readonly package: string;
  /** File of the package that needs it. */
  readonly file: string;
  /** Debian package that has it, when known. */
  readonly debianPackage?: string;
}

/** Libraries that come from outside the image: the GPU driver's, put there by the container toolkit. */
const FROM_DRIVER = /^(libcuda|libnvidia-[\w-]+|libnvcuvid|libnvoptix)\.so(\.\d+)*$/;

/** What transports of NVIDIA's wheels (cufile over RDMA, nvshmem over MPI) link to; they are loaded on clusters that have it, and nowhere else. */
const FOR_TRANSPORTS =
  /^lib(ibverbs|mlx5|rdmacm|fabric|mpi|oshmem|pmix|ucp|ucs|uct|ucm)\.so(\.\d+)*$/;

/** The dynamic loader itself is always there where a program runs at all. */
const LOADER = /^(ld-linux[\w-]*|ld-musl-[\w-]+)\.so(\.\d+)*$/;

const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  "libgomp.so.1": "libgomp1",
  "libGL.so.1": "libgl1",
  "libEGL.so.1": "libegl1",
  "libGLX.so.0": "libglx0",
  "libOpenGL.so.0": "libopengl0",
  "libgthread-2.0.so.0": "libglib2.0-0",
  "libglib-2.0.so.0": "libglib2.0-0",
  "libgobject-2.0.so.0": "libglib2.0-0",
  "libgio-2.0.so.0": "libglib2.0-0",
  "libsndfile.so.1": "libsndfile1",
  "libSM.so.6": "libsm6",
  "libICE.so.6": "libice6",
  "libX11.so.6": "libx11-6",
  "libX11-xcb.so.1": "libx11-xcb1",
  "libXext.so.6": "libxext6",
  "libXrender.so.1": "libxrender1",
  "libxcb.so.1": "libxcb1",
  "libz.so.1": "zlib1g",
  "libbz2.so.1.0": "libbz2-1.0",
  "liblzma.so.5": "liblzma5",
  "libzstd.so.1": "libzstd1",
  "libexpat.so.1": "libexpat1",
  "libffi.so.8": "libffi8",
  "libssl.so.3": "libssl3",
  "libcrypto.so.3": "libssl3",
  "libstdc++.so.6": "libstdc++6",
  "libgcc_s.so.1": "libgcc-s1",
  "libatomic.so.1": "libatomic1",
  "libquadmath.so.0": "libquadmath0",
  "libgfortran.so.5": "libgfortran5",
  "libopenblas.so.0": "libopenblas0",
  "libnuma.so.1": "libnuma1",
  "libibverbs.so.1": "libibverbs1",
  "libtbb.so.12": "libtbb12",
  "libpq.so.5": "libpq5",
  "libsqlite3.so.0": "libsqlite3-0",
  "libxml2.so.2": "libxml2",
  "libfontconfig.so.1": "libfontconfig1",
  "libfreetype.so.6": "libfreetype6",
  "libdbus-1.so.3": "libdbus-1-3",
  "libasound.so.2": "libasound2",
  "libportaudio.so.2": "libportaudio2",
  "libuuid.so.1": "libuuid1",
  "libgssapi_krb5.so.2": "libgssapi-krb5-2",
  "libusb-1.0.so.0": "libusb-1.0-0",
};

/**
 * Missing libraries: `needed` by a file that is loaded, or `unneeded`, since no module reaches the
 * file that asks for it.
 */
export interface MissingLibraries {
  readonly needed: readonly MissingLibrary[];
  readonly unneeded: readonly MissingLibrary[];
}

/** A library and the package that it is of. */
interface OwnedLibrary extends SharedLibrary {
  readonly owner: string;
}

/**
 * Finds libraries that no package brings and the base does not have. A library that any package brings counts as found: where
 * it lies is up to run paths and to packages that load it by hand, and a false alarm would stop a good image. What a library asks
 * for counts as needed when an extension module reaches it, in one step or many.
 * @param packages - libraries and modules by package
 * @param base - file names of the base's libraries
 */
export function findMissingLibraries(
  packages: ReadonlyMap<string, readonly SharedLibrary[]>,
  base: readonly string[],
): MissingLibraries {
  const all = [...packages].flatMap(([owner, own]) => own.map((one) => ({ ...one, owner })));
  const byName = new Map<string, OwnedLibrary[]>();
  for (const library of all)
    for (const name of namesOfLibrary(library))
      byName.set(name, [...(byName.get(name) ?? []), library]);
  const present = new Set([...base, ...byName.keys()]);
  const reached = reachedFrom(
    [...packages].flatMap(([owner, own]) => rootsOf(owner, own)),
    byName,
  );
  const needed = missingOf(
    all.filter(({ path }) => reached.has(path)),
    present,
  );
  const known = new Set(needed.map(({ library }) => library));
  const unneeded = missingOf(
    all.filter(({ path }) => !reached.has(path)),
    new Set([...present, ...known]),
  );
  return { needed, unneeded };
}

function namesOfLibrary({ path, soname }: SharedLibrary): readonly string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return soname === undefined || soname === name ? [name] : [name, soname];
}

/**
 * The files that Python code loads itself: extension modules. A package without extension modules
 * loads libraries by name; those end in `.so` and have no version.
 */
function rootsOf(owner: string, libraries: readonly SharedLibrary[]): readonly OwnedLibrary[] {
  const owned = libraries.map((one) => ({ ...one, owner }));
  const modules = owned.filter(({ path }) =>
    /(?:^|\/)(?!lib)[^/]*\.so$|\.(?:cpython-|abi3)[^/]*so$/.test(path),
  );
  if (modules.length > 0) return modules;
  return owned.filter(({ path }) => path.endsWith(".so"));
}

/** Paths of everything that is loaded when the roots are. */
function reachedFrom(
  roots: readonly OwnedLibrary[],
  byName: ReadonlyMap<string, readonly OwnedLibrary[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next.path)) continue;
    reached.add(next.path);
    for (const name of next.needed) waiting.push(...(byName.get(name) ?? []));
  }
  return reached;
}

function missingOf(
  libraries: readonly OwnedLibrary[],
  present: ReadonlySet<string>,
): readonly MissingLibrary[] {
  const missing = new Map<string, MissingLibrary>();
  for (const { owner, path, needed } of libraries) {
    for (const library of needed) {
      if (present.has(library) || missing.has(library) || isFromElsewhere(library, owner)) continue;
      const debianPackage = DEBIAN_PACKAGES[library];
      missing.set(library, {
        library,
        package: owner,
        file: path,
        ...(debianPackage === undefined ? {} : { debianPackage }),
      });
    }
  }
  return [...missing.values()];
}

function isFromElsewhere(library: string, owner: string): boolean {
  return (
    FROM_DRIVER.test(library) ||
    LOADER.test(library) ||
    (owner.startsWith("nvidia-") && FOR_TRANSPORTS.test(library))
  );
}

/** How a user adds Debian packages with the command at hand: in the project file, or by a flag. */
export type AptWay = "project-file" | "flag";

/** @throws ToolError `LIBRARY_MISSING` naming every missing library, who needs it and where to get it. Nothing missing: returns. */
export function refuseMissingLibraries(
  missing: readonly MissingLibrary[],
  aptWay: AptWay = "project-file",
): void {
  if (missing.length === 0) return;
  const lines = missing.map(
    ({ library, package: name, file, debianPackage }) =>
      `"${library}" is needed by "${file}" of ${name}${debianPackage === undefined ? "" : ` (Debian package ${debianPackage})`}`,
  );
  const known = [
    ...new Set(
      missing.map(({ debianPackage }) => debianPackage).filter((name) => name !== undefined),
    ),
  ].toSorted();
  throw new ToolError(
    "LIBRARY_MISSING",
    `check the shared libraries of the Python packages: ${lines.join("; ")}; neither a wheel nor the base image has ${missing.length === 1 ? "it" : "them"}`,
    {
      hint: `${known.length === 0 ? "" : aptHint(known, aptWay)}use a base image that has ${missing.length === 1 ? "it" : "them"}, or pass ${missing.map(({ library }) => `--allow-missing-library ${library}`).join(" ")} when the image does not use that part`,
    },
  );
}

function aptHint(packages: readonly string[], way: AptWay): string {
  return way === "flag"
    ? `add \`--apt ${packages.join(",")}\`, `
    : `add \`apt: [${packages.join(", ")}]\` to the project file, `;
}
