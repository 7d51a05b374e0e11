import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { RetryOptions } from "../../../ground/process/index.ts";

/** An account's key pair. The private one signs and is never sent; neither is shown anywhere. */
export interface VendorKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

export interface VendorApiOptions {
  readonly keys: VendorKeys;
  /** Not sent when empty or absent. */
  readonly projectId?: string | undefined;
  /** Default `cn-bj2`. */
  readonly region?: string | undefined;
  /** Default `cn-bj2-04`. */
  readonly zone?: string | undefined;
  /** Default `https://api.ucloud.cn`. */
  readonly endpoint?: string | undefined;
  /** Lets `http:` endpoints be used that are not on this machine; keys' signatures are readable on the way then. */
  readonly allowPlainHttp?: boolean | undefined;
  /** For one attempt, to the last byte of its answer. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** Calls in all for one answer. Default 4. */
  readonly attempts?: number | undefined;
  /** PEM certificates of authorities to trust besides the usual ones. */
  readonly ca?: string | undefined;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from. Default: no proxy. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
  /** Told before each pause; the error holds no secret. */
  readonly onRetry?: RetryOptions["onRetry"];
  /** Waits between attempts; replaced in tests. */
  readonly sleep?: RetryOptions["sleep"];
}

/** Kinds of packages that a base image is chosen by. */
export type PackageType = "OS" | "Python" | "AIFrame" | "AptGet" | "Pip";

/** One package that the vendor's images may have. */
export interface EnvironmentPackage {
  readonly name: string;
  /** Empty when the package has none. */
  readonly version: string;
  readonly id: string;
}

/** Ids of the packages that an image must have. */
export interface BaseImageQuery {
  readonly os: string;
  readonly python: string;
  readonly framework: string;
  readonly aptGet?: readonly string[];
  readonly pip?: readonly string[];
}

/** The part of the vendor's API that chooses base images. Reads only; disposing of it closes its connections. */
export interface VendorApi extends Disposable {
  /**
   * Packages of one kind, in the vendor's order (`GetUAIAvailableEnvPkg`).
   * @throws ToolError as the module's README lists; the signal's reason when it is aborted.
   */
  listPackages(type: PackageType, options?: CallOptions): Promise<readonly EnvironmentPackage[]>;
  /**
   * Names of images that have all these packages; none is an empty list (`CheckUAIBaseImgExist`).
   * @throws ToolError as above.
   */
  findBaseImages(query: BaseImageQuery, options?: CallOptions): Promise<readonly string[]>;
}
