import { switchRegistryHost, type RowDebian } from "../../jobs/catalogue/index.ts";
import {
  createVendorApi,
  resolveBaseImage,
  uaiRecipeOf,
  uaiSideOf,
  type UaiJob,
  type UaiValues,
  type VendorKeys,
} from "../../jobs/uai/index.ts";
import type { PackSettings } from "./catalogue.ts";
import type { Session } from "../session.ts";
import type { PackdockerRequest } from "./packdocker-request.ts";
import { accessTo } from "../places/registry-access.ts";

/** What an image stands on, and the packages that go on top of it, as lines of a requirements file. */
export interface BaseSource {
  readonly base: string;
  readonly requirements: readonly string[];
  readonly extraIndexUrls?: readonly string[];
  /** Debian packages that the requirements need. */
  readonly apt?: readonly string[];
  /** A Debian that can be made in the base's place. */
  readonly debian?: RowDebian | undefined;
  /** The vendor's release whose place it takes. */
  readonly standsInFor?: string | undefined;
}

interface PackdockerCall {
  readonly request: PackdockerRequest;
  readonly session: Session;
}

interface VendorBaseCall extends PackdockerCall {
  readonly settings: PackSettings;
}

const PUBLIC_KEY = "SLIPWAY_VENDOR_PUBLIC_KEY";
const PRIVATE_KEY = "SLIPWAY_VENDOR_PRIVATE_KEY";

/** What keeps the vendor's API from being asked for the base, when that is wanted. */
export function baseProblems(job: UaiJob, { request, session }: PackdockerCall): readonly string[] {
  if (request.baseFrom !== "vendor") return [];
  if (job.baseImage !== undefined) return ["--base-from: --bimg_name names the base already"];
  const { publicKey, privateKey } = keysOf(request.values, session);
  const why = "the vendor's API is asked for the base";
  return [
    ...(publicKey === "" ? [`--public_key: it is missing, and so is ${PUBLIC_KEY}; ${why}`] : []),
    ...(privateKey === ""
      ? [`--private_key: it is missing, and so is ${PRIVATE_KEY}; ${why}`]
      : []),
    ...(job.release === undefined
      ? [`--ai_arch_v: it is missing; ${why}, and must be told the framework and its version`]
      : []),
  ];
}

/**
 * The user's own base, the vendor's for the release, or the recipe that the release is made by.
 * @throws ToolError `BASE_UNSUITABLE`, `PACKAGE_UNAVAILABLE`, and what asking the vendor throws.
 */
export async function baseSourceOf(job: UaiJob, about: VendorBaseCall): Promise<BaseSource> {
  if (job.baseImage !== undefined) return { base: job.baseImage, requirements: [] };
  if (about.request.baseFrom === "vendor")
    return { base: await vendorBaseOf(job, about), requirements: [] };
  const recipe = uaiRecipeOf(job, about.settings.catalogue);
  if (recipe.standsInFor !== undefined)
    about.session.emit({
      kind: "step",
      text: `"${recipe.standsInFor}" stands on the vendor's closed image: taking ${recipe.name}, which runs the same classes (--base-from vendor asks for the closed one)`,
    });
  return {
    ...recipe,
    base: switchRegistryHost(
      recipe.base,
      uaiSideOf(about.request.values),
      about.settings.registries,
    ),
  };
}

async function vendorBaseOf(
  job: UaiJob,
  { request, settings, session }: VendorBaseCall,
): Promise<string> {
  const { environment, signal, emit } = session;
  const { values } = request;
  const endpoint = request.vendorEndpoint ?? environment["SLIPWAY_VENDOR_ENDPOINT"];
  const host = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).host : "";
  using api = createVendorApi({
    keys: keysOf(values, session),
    endpoint,
    region: values["region"],
    zone: values["zone"],
    projectId: values["project_id"],
    allowPlainHttp: session.access.isPlainHttp,
    ca: (await accessTo(host, session)).ca,
    proxyEnv: environment,
    onRetry: (error) =>
      emit({
        kind: "step",
        text: `${error instanceof Error ? error.message : "the vendor's API does not answer"}; asking again`,
      }),
  });
  emit({ kind: "step", text: "asking the vendor's API for the base" });
  const image = await resolveBaseImage(
    api,
    { framework: job.release ?? "", os: values["os"], python: values["python_version"] },
    { signal },
  );
  const base = switchRegistryHost(image, uaiSideOf(values), settings.registries);
  emit({ kind: "step", text: `it names ${base}` });
  return base;
}

/** The flags win over the environment; what is nowhere is empty. */
function keysOf(values: UaiValues, { environment }: Session): VendorKeys {
  return {
    publicKey: values["public_key"] ?? environment[PUBLIC_KEY] ?? "",
    privateKey: values["private_key"] ?? environment[PRIVATE_KEY] ?? "",
  };
}
