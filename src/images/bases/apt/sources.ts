import { ToolError } from "../../../ground/errors/index.ts";

/** One line of a sources list. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

/** What the host's apt has configured, from `apt-get indextargets`. */
export interface HostTarget {
  readonly uri: string;
  readonly release: string;
  readonly component: string;
}

export interface SourcesRequest {
  readonly suite?: string | undefined;
  readonly mirror?: string | undefined;
  readonly snapshot?: string | undefined;
  /** Empty when the host has none that are of use. */
  readonly host: readonly HostTarget[];
}

export interface ChosenSources {
  readonly suite: string;
  readonly sources: readonly AptSource[];
}

const DEFAULT_SUITE = "bookworm";
const DEFAULT_MIRROR = "http://deb.debian.org/debian";
const DEFAULT_SECURITY = "http://deb.debian.org/debian-security";
const SNAPSHOT = "http://snapshot.debian.org/archive";
/** Suites without updates and security suites of their own. */
const ROLLING = new Set(["sid", "unstable", "experimental"]);

/**
 * Decides where packages come from: a snapshot or mirror that was asked for, else what the host uses for the suite,
 * else Debian's own mirror. Only Debian's `main` component.
 * @throws ToolError `USAGE` for a suite, mirror or snapshot that is none.
 */
export function chooseSources(request: SourcesRequest): ChosenSources {
  const debian = request.host.filter(isDebian);
  const suite =
    request.suite ??
    debian.map(({ release }) => release).find((release) => /^[a-z]+$/.test(release)) ??
    DEFAULT_SUITE;
  if (!/^[a-z][a-z0-9.-]{0,63}$/.test(suite))
    throw new ToolError("USAGE", `make a Debian base: "${suite}" is not the name of a suite`, {
      hint: "use a release name such as bookworm",
    });
  if (request.snapshot !== undefined) return { suite, sources: snapshotSources(suite, request) };
  if (request.mirror !== undefined) return { suite, sources: mirrorSources(suite, request.mirror) };
  const own = debian.filter(
    ({ release }) =>
      release === suite || release === `${suite}-updates` || release === `${suite}-security`,
  );
  if (own.some(({ release }) => release === suite)) return { suite, sources: ownSources(own) };
  const mirror = debian.find(({ uri }) => /\/debian\/?$/.test(uri))?.uri ?? DEFAULT_MIRROR;
  const security =
    debian.find(({ uri }) => /\/debian-security\/?$/.test(uri))?.uri ?? DEFAULT_SECURITY;
  return { suite, sources: standard(suite, mirror, security) };
}

/** The deb822 text of a sources file. `architecture` keeps apt from asking for others. */
export function renderSources(
  sources: readonly AptSource[],
  options: { readonly architecture: string; readonly keyring: string },
): string {
  return sources
    .map(({ uri, suite, components }) =>
      [
        "Types: deb",
        `URIs: ${uri}`,
        `Suites: ${suite}`,
        `Components: ${components.join(" ")}`,
        `Architectures: ${options.architecture}`,
        `Signed-By: ${options.keyring}`,
        "",
      ].join("\n"),
    )
    .join("\n");
}

/** The one-line form of the same, for programs that read nothing else. */
export function renderOneLineSources(sources: readonly AptSource[], keyring: string): string {
  return sources
    .map(
      ({ uri, suite, components }) =>
        `deb [signed-by=${keyring}] ${uri} ${suite} ${components.join(" ")}\n`,
    )
    .join("");
}

/** Reads the lines that `HOST_TARGET_FORMAT` makes. */
export function parseHostTargets(text: string): readonly HostTarget[] {
  return [...new Set(text.split("\n"))]
    .map((line) => line.split("|"))
    .flatMap(([identifier, uri, release, component]) =>
      identifier === "Packages" &&
      uri !== undefined &&
      release !== undefined &&
      component !== undefined
        ? [{ uri, release, component }]
        : [],
    );
}

/** Argument of `apt-get indextargets --format`. */
export const HOST_TARGET_FORMAT = "$(IDENTIFIER)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)";

function isDebian({ uri, component }: HostTarget): boolean {
  return component === "main" && /\/debian(-security)?\/?$/.test(uri);
}

function ownSources(targets: readonly HostTarget[]): readonly AptSource[] {
  return targets.map(({ uri, release }) => ({
    uri: trimmed(uri),
    suite: release,
    components: ["main"],
  }));
}

function mirrorSources(suite: string, mirror: string): readonly AptSource[] {
  checkAddress(mirror);
  return /\/debian\/?$/.test(mirror)
    ? standard(suite, mirror, trimmed(mirror).replace(/\/debian$/, "/debian-security"))
    : [{ uri: trimmed(mirror), suite, components: ["main"] }];
}

function snapshotSources(
  suite: string,
  { snapshot, mirror }: SourcesRequest,
): readonly AptSource[] {
  if (mirror !== undefined)
    throw new ToolError("USAGE", "make a Debian base: a mirror and a snapshot exclude each other");
  if (snapshot === undefined || !/^\d{8}T\d{6}Z$/.test(snapshot)) {
    throw new ToolError(
      "USAGE",
      `make a Debian base: "${snapshot}" is not the time stamp of a snapshot`,
      { hint: "write it like 20260101T000000Z" },
    );
  }
  return standard(
    suite,
    `${SNAPSHOT}/debian/${snapshot}`,
    `${SNAPSHOT}/debian-security/${snapshot}`,
  );
}

function standard(suite: string, mirror: string, security: string): readonly AptSource[] {
  const main = { uri: trimmed(mirror), suite, components: ["main"] };
  if (ROLLING.has(suite)) return [main];
  return [
    main,
    { ...main, suite: `${suite}-updates` },
    { uri: trimmed(security), suite: `${suite}-security`, components: ["main"] },
  ];
}

function trimmed(uri: string): string {
  return uri.replace(/\/+$/, "");
}

/** The address goes into a file that apt parses by lines and blanks. */
function checkAddress(mirror: string): void {
  if (!/^(https?|file|copy|mirror(\+(https?|file))?):\/[^\s"]+$/.test(mirror)) {
    throw new ToolError("USAGE", `make a Debian base: "${mirror}" is not the address of a mirror`, {
      hint: "write it like http://deb.debian.org/debian",
    });
  }
}
