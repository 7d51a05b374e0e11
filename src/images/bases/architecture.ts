import type { Platform } from "../oci/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { DebianArchitecture } from "./contracts.ts";

/** What differs between architectures. */
export interface ArchitectureFacts {
  readonly name: DebianArchitecture;
  readonly platform: Platform;
  /** Folder of libraries below `/usr/lib`. */
  readonly triplet: string;
  /** The loader's path that is written into programs. */
  readonly loader: string;
}

const ARCHITECTURES: Readonly<Record<DebianArchitecture, ArchitectureFacts>> = {
  amd64: {
    name: "amd64",
    platform: { architecture: "amd64", os: "linux" },
    triplet: "x86_64-linux-gnu",
    loader: "/lib64/ld-linux-x86-64.so.2",
  },
  arm64: {
    name: "arm64",
    platform: { architecture: "arm64", os: "linux", variant: "v8" },
    triplet: "aarch64-linux-gnu",
    loader: "/lib/ld-linux-aarch64.so.1",
  },
};

/** @throws ToolError `UNSUPPORTED` for an architecture that bases are not made for. */
export function architectureFacts(name: string): ArchitectureFacts {
  if (!Object.hasOwn(ARCHITECTURES, name)) {
    throw new ToolError(
      "UNSUPPORTED",
      `make a Debian base: the architecture "${name}" is not supported`,
      { hint: "use amd64 or arm64" },
    );
  }
  return ARCHITECTURES[name as DebianArchitecture];
}

/** The Debian architecture of a platform in Go's names. @throws ToolError `UNSUPPORTED`. */
export function architectureOf(platform: Platform): DebianArchitecture {
  if (platform.os !== "linux")
    throw new ToolError("UNSUPPORTED", `make a Debian base: "${platform.os}" is not Linux`);
  return architectureFacts(platform.architecture).name;
}
