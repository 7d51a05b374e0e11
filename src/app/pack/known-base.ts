import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { BaseImage, JsonCache } from "../../images/pack/index.ts";
import type { Platform } from "../../images/oci/index.ts";
import type { RowDebian } from "../../jobs/catalogue/index.ts";
import type { Places, Surroundings } from "../session.ts";
import { openBase, type OpenBase } from "./base-image.ts";

/** A base that the catalogue names, and what else it can be made of. */
export interface KnownBase {
  readonly base: string;
  readonly debian?: RowDebian | undefined;
  readonly platform: Platform;
  /** Makes the Debian one without asking for the other. Default false. */
  readonly isDebianWanted?: boolean | undefined;
}

/** What the bare Debian has, so that it is like the image whose place it takes. */
const PACKAGES = ["python3", "bash", "ca-certificates"];

/**
 * Opens a base. Where its registry cannot be reached, the like of it is made of Debian packages by this machine's apt, once, and
 * kept in the store.
 * @throws ToolError as `openBase`; `REGISTRY_UNREACHABLE` where there is no apt either; `BASE_UNSUITABLE` where Debian is wanted
 * and has no Python for it.
 */
export async function openKnownBase(
  known: KnownBase,
  cache: JsonCache,
  session: Places & Surroundings,
): Promise<OpenBase> {
  const { base, debian, isDebianWanted } = known;
  if (isDebianWanted === true) {
    if (debian === undefined)
      throw new ToolError("BASE_UNSUITABLE", `make a Debian for "${base}": none has its Python`, {
        hint: "leave --python_version and --base-from out, or name a base with --bimg_name",
      });
    return openDebian(debian, known.platform, { cache, session });
  }
  try {
    return await openBase(base, cache, session);
  } catch (error) {
    if (!isToolError(error) || error.code !== "REGISTRY_UNREACHABLE" || debian === undefined)
      throw error;
    session.emit({
      kind: "warning",
      text: `${base} cannot be reached: making the like of it of Debian packages (${debian.suite}, Python ${debian.python})`,
    });
    return await openDebian(debian, known.platform, { cache, session }).catch((other: unknown) => {
      throw isToolError(other) && other.code === "TOOL_MISSING" ? withWaysOut(error) : other;
    });
  }
}

/** Debian packages of a row whose libraries a base does not have: `libgomp1` brings `libgomp.so.1`. */
export function lackingPackages(
  packages: readonly string[],
  { facts }: Pick<BaseImage, "facts">,
): readonly string[] {
  return packages.filter((name) => {
    const [, stem = "", version = ""] = /^(lib.*?)-?(\d+)$/.exec(name) ?? [];
    return !facts.sonames.includes(`${stem}.so.${version}`);
  });
}

async function openDebian(
  { suite, python }: RowDebian,
  { architecture }: Platform,
  { cache, session }: { readonly cache: JsonCache; readonly session: Places & Surroundings },
): Promise<OpenBase> {
  const name = `slipway-base/${suite}-python${python}:${architecture}`;
  try {
    return await openBase(`store:${name}`, cache, session);
  } catch (error) {
    if (!isToolError(error) || error.code !== "REFERENCE_NOT_FOUND") throw error;
  }
  const { makeDebianBase } = await import("./make-base.ts");
  await makeDebianBase({ name, include: PACKAGES, suite, architectures: [architecture] }, session);
  return openBase(`store:${name}`, cache, session);
}

/** There is neither a registry nor apt. */
function withWaysOut(error: ToolError): ToolError {
  return new ToolError(error.code, error.message, {
    cause: error.cause,
    hint: "name a mirror with --registry-mirror or SLIPWAY_REGISTRY_MIRRORS, or a base of your own (`slipway base debian` makes one on a Debian or Ubuntu machine); see docs/guide/from-uai.md",
  });
}
