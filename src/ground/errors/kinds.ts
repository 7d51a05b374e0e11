import type { ErrorCode } from "./codes.ts";
import { ToolError, type ToolErrorOptions } from "./tool-error.ts";

/** One entry of a registry's error body. @see distribution-spec, spec.md#error-codes */
export interface RegistryDiagnostic {
  readonly code: string;
  readonly message: string;
}

/** A registry answered with something other than what was asked for. */
export class RegistryError extends ToolError {
  readonly method: string;
  /** Redacted; safe to show. */
  readonly url: string;
  /** HTTP status, absent when no answer came. */
  readonly status?: number;
  readonly diagnostics: readonly RegistryDiagnostic[];
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: ToolErrorOptions & {
      readonly method: string;
      readonly url: string;
      readonly status?: number | undefined;
      readonly diagnostics?: readonly RegistryDiagnostic[] | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(code, message, options);
    this.method = options.method;
    this.url = options.url;
    this.diagnostics = options.diagnostics ?? [];
    if (options.status !== undefined) this.status = options.status;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Content is not what its descriptor says. */
export class ContentError extends ToolError {
  readonly expected?: string;
  readonly actual?: string;
  readonly bytesRead?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: ToolErrorOptions & {
      readonly expected?: string;
      readonly actual?: string;
      readonly bytesRead?: number;
    } = {},
  ) {
    super(code, message, options);
    if (options.expected !== undefined) this.expected = options.expected;
    if (options.actual !== undefined) this.actual = options.actual;
    if (options.bytesRead !== undefined) this.bytesRead = options.bytesRead;
  }
}

/** A child process ended badly. */
export class ProcessError extends ToolError {
  /** Program and arguments with secrets taken out. */
  readonly command: readonly string[];
  readonly exitCode?: number;
  readonly signal?: string;
  readonly timedOut: boolean;
  /** The last 4 KiB of standard error. */
  readonly stderrTail: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: ToolErrorOptions & {
      readonly command: readonly string[];
      readonly exitCode?: number | undefined;
      readonly signal?: string | undefined;
      readonly timedOut?: boolean | undefined;
      readonly stderrTail?: string | undefined;
    },
  ) {
    super(code, message, options);
    this.command = options.command;
    this.timedOut = options.timedOut ?? false;
    this.stderrTail = options.stderrTail ?? "";
    if (options.exitCode !== undefined) this.exitCode = options.exitCode;
    if (options.signal !== undefined) this.signal = options.signal;
  }
}

/** The project file or folder is wrong at a known place. */
export class ProjectError extends ToolError {
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Dotted path of the offending key, such as `server.workers`. */
  readonly keyPath?: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: ToolErrorOptions & {
      readonly file?: string | undefined;
      readonly line?: number | undefined;
      readonly column?: number | undefined;
      readonly keyPath?: string | undefined;
    } = {},
  ) {
    super(code, message, options);
    if (options.file !== undefined) this.file = options.file;
    if (options.line !== undefined) this.line = options.line;
    if (options.column !== undefined) this.column = options.column;
    if (options.keyPath !== undefined) this.keyPath = options.keyPath;
  }
}

/** A request to a model, or the model itself, failed. */
export class InferenceError extends ToolError {
  readonly model?: string;
  readonly tensor?: string;
  readonly expected?: string;
  readonly actual?: string;
  /** Whole seconds after which the same call may be tried again, where that is known of this call. */
  readonly retryAfterSeconds?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: ToolErrorOptions & {
      readonly retryAfterSeconds?: number | undefined;
      readonly model?: string | undefined;
      readonly tensor?: string | undefined;
      readonly expected?: string | undefined;
      readonly actual?: string | undefined;
    } = {},
  ) {
    super(code, message, options);
    if (options.model !== undefined) this.model = options.model;
    if (options.tensor !== undefined) this.tensor = options.tensor;
    if (options.expected !== undefined) this.expected = options.expected;
    if (options.actual !== undefined) this.actual = options.actual;
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
