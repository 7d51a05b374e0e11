import { ToolError } from "../../ground/errors/index.ts";
import type { PythonTarget } from "./contracts.ts";

/** Processor names of wheels by Go's names. */
const MACHINES: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64" };

/** Minor versions of glibc 2 for which uv has a platform name. */
const UV_GLIBC_MINORS = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40] as const;

/**
 * The platform in uv's words: the newest it knows that is not newer than the base's glibc, `x86_64-manylinux_2_36`.
 * @throws ToolError `BASE_UNSUITABLE` for a platform or C library that wheels are not made for.
 */
export function uvPlatformOf(target: PythonTarget): string {
  const machine = machineOf(target);
  if (target.libc.kind === "musl") return `${machine}-unknown-linux-musl`;
  const minor = glibcMinorOf(target);
  const known = UV_GLIBC_MINORS.findLast((candidate) => candidate <= minor) ?? UV_GLIBC_MINORS[0];
  return `${machine}-manylinux_2_${known}`;
}

/** All platform tags that fit, newest first, as pip takes them. @throws as `uvPlatformOf`. */
export function pipPlatformsOf(target: PythonTarget): readonly string[] {
  const machine = machineOf(target);
  if (target.libc.kind === "musl")
    return ["musllinux_1_2", "musllinux_1_1"].map((tag) => `${tag}_${machine}`);
  const modern = Array.from(
    { length: glibcMinorOf(target) - 16 },
    (_, index) => `manylinux_2_${glibcMinorOf(target) - index}`,
  );
  const old =
    machine === "x86_64" ? ["manylinux2014", "manylinux2010", "manylinux1"] : ["manylinux2014"];
  return [...modern, ...old, "linux"].map((tag) => `${tag}_${machine}`);
}

function machineOf(target: PythonTarget): string {
  const { os, architecture } = target.platform;
  const machine = MACHINES[architecture];
  if (os === "linux" && machine !== undefined) return machine;
  throw new ToolError(
    "BASE_UNSUITABLE",
    `choose wheels for "${os}/${architecture}": only linux/amd64 and linux/arm64 are served`,
  );
}

function glibcMinorOf(target: PythonTarget): number {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(target.libc.version) ?? [];
  if (major === "2" && Number(minor) >= 17) return Number(minor);
  throw new ToolError(
    "BASE_UNSUITABLE",
    `choose wheels for glibc "${target.libc.version}": wheels need 2.17 or newer`,
    { hint: "choose a newer base image" },
  );
}
