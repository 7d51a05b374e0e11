import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";

export type EngineKind = "docker" | "podman";

/** How an engine is called. */
export interface EngineOptions {
  readonly kind: EngineKind;
  /** Path or name of the program. Default: the kind. */
  readonly program?: string | undefined;
  /** Arguments before every command, such as `--host unix:///run/docker.sock`. */
  readonly globalArgs?: readonly string[] | undefined;
  /** Arguments of every `run`, such as `--ulimit nofile=1024:1024`. With them nothing else is tried when a start is refused. */
  readonly runArgs?: readonly string[] | undefined;
}

/** A container engine of this machine. Stateless: it may be used from many places at once. */
export interface Engine {
  readonly kind: EngineKind;
  /**
   * Loads an image archive (`docker save` form, plain or gzip, or one that is both that and an OCI archive).
   * @returns the names or ids under which the engine knows what it loaded.
   * @throws ToolError `ENGINE_FAILED`.
   */
  load(archive: Bytes, options?: CallOptions): Promise<readonly string[]>;
  /** Streams an image of the engine as an archive in `docker save` form. @throws ToolError `REFERENCE_NOT_FOUND`, `ENGINE_FAILED`. */
  save(reference: string, options?: CallOptions): Bytes;
  /** True when the engine holds an image of that name; nothing is pulled. */
  has(reference: string, options?: CallOptions): Promise<boolean>;
  /** Takes a name off an image, and the image away when it has no other. No error when there is none. */
  removeImage(reference: string, options?: CallOptions): Promise<void>;
  /** Digests of an image's layers before compression, lowest first; `undefined` when the engine has no such image. */
  diffIds(reference: string, options?: CallOptions): Promise<readonly string[] | undefined>;
  /**
   * Starts a container and returns once it runs; it goes on until it ends or is stopped, and is removed with `remove`.
   * @throws ToolError `ENGINE_FAILED`, `PORT_TAKEN`, `REFERENCE_NOT_FOUND`.
   */
  start(request: ContainerRequest, options?: CallOptions): Promise<Container>;
}

export interface PortRequest {
  readonly containerPort: number;
  /** Default: one that is free. */
  readonly hostPort?: number | undefined;
  /** Address of this machine to listen on. Default `127.0.0.1`. */
  readonly host?: string | undefined;
}

export interface MountRequest {
  /** Absolute path on this machine. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  /** Default false. */
  readonly readOnly?: boolean | undefined;
}

export interface ContainerRequest {
  readonly image: string;
  readonly name?: string | undefined;
  readonly ports?: readonly PortRequest[] | undefined;
  readonly mounts?: readonly MountRequest[] | undefined;
  /** Never shown in a process list. Values without line ends. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `all`, or the engine's own words for some of the graphics cards. */
  readonly gpus?: string | undefined;
  /** Size of `/dev/shm`, such as `1g`; default the engine's, which is 64 MiB. */
  readonly sharedMemory?: string | undefined;
  /** Most memory that it may use, such as `8g`. Default: no bound. */
  readonly memory?: string | undefined;
  /** `USER` or `UID:GID`; default the image's. */
  readonly user?: string | undefined;
  /** Program to start in place of the image's entry point. */
  readonly entrypoint?: string | undefined;
  /** Arguments; default the image's. */
  readonly command?: readonly string[] | undefined;
  /** Whether the engine may fetch an image that it does not have. Default `never`. */
  readonly pull?: "never" | "missing" | undefined;
  /** `OS/ARCH` when the engine would choose another. */
  readonly platform?: string | undefined;
}

export interface PublishedPort {
  readonly containerPort: number;
  readonly host: string;
  readonly hostPort: number;
}

export interface ContainerState {
  readonly isRunning: boolean;
  /** Meaningful when it does not run. */
  readonly exitCode: number;
  /** True when the kernel ended it for using too much memory. */
  readonly isOutOfMemory: boolean;
  /** Empty before it runs and after it ended. */
  readonly ports: readonly PublishedPort[];
}

/** A container that was started. */
export interface Container {
  readonly id: string;
  inspect(options?: CallOptions): Promise<ContainerState>;
  /** Gives what it prints, standard output and standard error as they come; ends when it does, unless `isFollowing` is false. */
  logs(onText: (text: string) => void, options?: LogOptions): Promise<void>;
  /** Waits for its end. @returns its exit code. */
  wait(options?: CallOptions): Promise<number>;
  /** Asks it to end, and ends it by force after `graceS` seconds (default 10). */
  stop(options?: CallOptions & { readonly graceS?: number | undefined }): Promise<void>;
  /** Removes it, running or not. No error when it is gone. */
  remove(options?: CallOptions): Promise<void>;
}

export interface LogOptions extends CallOptions {
  /** Go on until the container ends. Default true. */
  readonly isFollowing?: boolean | undefined;
  /** Only the last lines of what is there already. Default: all. */
  readonly tail?: number | undefined;
}
