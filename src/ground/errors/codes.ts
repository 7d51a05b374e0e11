/** How one error code looks to every caller: HTTP, gRPC, the shell, and the retry helper. */
export interface CodeFacts {
  /** HTTP status a server answers with. */
  readonly http: number;
  /** gRPC status name a server answers with. */
  readonly grpc: GrpcStatus;
  /** Exit code of the command line. 0 never appears here. */
  readonly exit: number;
  /** True when the same call may succeed later without any change. */
  readonly retryable: boolean;
}

/** gRPC status names other than OK. @see grpc, doc/statuscodes.md */
export type GrpcStatus =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/**
 * Every error code the project can show, and nothing else. `docs/errors.md` explains each one; a test
 * holds both together. Exit codes: 2 usage, 3 project, 4 input, 5 authentication, 6 network and registry,
 * 7 content, 8 environment, 9 model, 70 our own bug, 130 interrupted.
 */
export const ERROR_CODES = {
  USAGE: { http: 400, grpc: "INVALID_ARGUMENT", exit: 2, retryable: false },
  INTERRUPTED: { http: 499, grpc: "CANCELLED", exit: 130, retryable: false },
  INTERNAL: { http: 500, grpc: "INTERNAL", exit: 70, retryable: false },

  PROJECT_NOT_FOUND: { http: 404, grpc: "NOT_FOUND", exit: 3, retryable: false },
  PROJECT_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },
  MODEL_NOT_DETECTED: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },
  MODEL_FILE_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },
  PICKLE_REFUSED: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  SECRET_IN_CONTEXT: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  FILE_REFUSED: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },
  FILE_CHANGED: { http: 409, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  REQUIREMENTS_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },
  REQUIREMENT_WITHOUT_WHEEL: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  LIBRARY_MISSING: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  BASE_UNSUITABLE: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  LAYER_LIMIT: { http: 400, grpc: "FAILED_PRECONDITION", exit: 3, retryable: false },
  PACKAGE_UNAVAILABLE: { http: 404, grpc: "NOT_FOUND", exit: 3, retryable: false },
  DOCKERFILE_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 3, retryable: false },

  REFERENCE_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 4, retryable: false },
  DIGEST_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 4, retryable: false },
  MANIFEST_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 4, retryable: false },
  ARCHIVE_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 4, retryable: false },
  LIMIT_EXCEEDED: { http: 413, grpc: "RESOURCE_EXHAUSTED", exit: 4, retryable: false },
  UNSUPPORTED: { http: 501, grpc: "UNIMPLEMENTED", exit: 4, retryable: false },

  REGISTRY_UNAUTHORIZED: { http: 401, grpc: "UNAUTHENTICATED", exit: 5, retryable: false },
  REGISTRY_DENIED: { http: 403, grpc: "PERMISSION_DENIED", exit: 5, retryable: false },
  CREDENTIAL_INVALID: { http: 401, grpc: "UNAUTHENTICATED", exit: 5, retryable: false },

  REGISTRY_UNREACHABLE: { http: 502, grpc: "UNAVAILABLE", exit: 6, retryable: true },
  REGISTRY_UNAVAILABLE: { http: 503, grpc: "UNAVAILABLE", exit: 6, retryable: true },
  REGISTRY_THROTTLED: { http: 429, grpc: "RESOURCE_EXHAUSTED", exit: 6, retryable: true },
  REGISTRY_PROTOCOL: { http: 502, grpc: "INTERNAL", exit: 6, retryable: false },
  REGISTRY_REFUSED: { http: 400, grpc: "FAILED_PRECONDITION", exit: 6, retryable: false },
  TIMEOUT: { http: 504, grpc: "DEADLINE_EXCEEDED", exit: 6, retryable: true },
  MIRROR_UNREACHABLE: { http: 502, grpc: "UNAVAILABLE", exit: 6, retryable: true },
  MIRROR_UNTRUSTED: { http: 502, grpc: "DATA_LOSS", exit: 6, retryable: false },
  INSECURE_REFUSED: { http: 400, grpc: "FAILED_PRECONDITION", exit: 6, retryable: false },

  REFERENCE_NOT_FOUND: { http: 404, grpc: "NOT_FOUND", exit: 7, retryable: false },
  BLOB_NOT_FOUND: { http: 404, grpc: "NOT_FOUND", exit: 7, retryable: false },
  DIGEST_MISMATCH: { http: 502, grpc: "DATA_LOSS", exit: 7, retryable: false },
  SIZE_MISMATCH: { http: 502, grpc: "DATA_LOSS", exit: 7, retryable: false },
  STORE_INVALID: { http: 500, grpc: "DATA_LOSS", exit: 7, retryable: false },

  STORE_UNWRITABLE: { http: 500, grpc: "FAILED_PRECONDITION", exit: 8, retryable: false },
  DISK_FULL: { http: 507, grpc: "RESOURCE_EXHAUSTED", exit: 8, retryable: false },
  ENGINE_MISSING: { http: 500, grpc: "FAILED_PRECONDITION", exit: 8, retryable: false },
  ENGINE_FAILED: { http: 500, grpc: "INTERNAL", exit: 8, retryable: false },
  TOOL_MISSING: { http: 500, grpc: "FAILED_PRECONDITION", exit: 8, retryable: false },
  PROCESS_FAILED: { http: 500, grpc: "INTERNAL", exit: 8, retryable: false },
  PORT_TAKEN: { http: 500, grpc: "FAILED_PRECONDITION", exit: 8, retryable: false },

  TENSOR_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 9, retryable: false },
  REQUEST_INVALID: { http: 400, grpc: "INVALID_ARGUMENT", exit: 9, retryable: false },
  SERVER_FULL: { http: 503, grpc: "RESOURCE_EXHAUSTED", exit: 9, retryable: true },
  ENCODING_UNSUPPORTED: { http: 415, grpc: "UNIMPLEMENTED", exit: 9, retryable: false },
  MODEL_NOT_FOUND: { http: 404, grpc: "NOT_FOUND", exit: 9, retryable: false },
  HOST_REFUSED: { http: 403, grpc: "PERMISSION_DENIED", exit: 9, retryable: false },
  KEY_REFUSED: { http: 401, grpc: "UNAUTHENTICATED", exit: 9, retryable: false },
  SCOPE_REFUSED: { http: 403, grpc: "PERMISSION_DENIED", exit: 9, retryable: false },
  RATE_LIMITED: { http: 429, grpc: "RESOURCE_EXHAUSTED", exit: 9, retryable: true },
  CONTROL_REFUSED: { http: 403, grpc: "PERMISSION_DENIED", exit: 9, retryable: false },
  MODEL_LOAD_FAILED: { http: 500, grpc: "INTERNAL", exit: 9, retryable: false },
  MODEL_FAILED: { http: 500, grpc: "INTERNAL", exit: 9, retryable: false },
  CONVERSION_DIFFERS: { http: 422, grpc: "FAILED_PRECONDITION", exit: 9, retryable: false },
  MODEL_NOT_READY: { http: 503, grpc: "UNAVAILABLE", exit: 9, retryable: true },
  MODEL_TIMEOUT: { http: 504, grpc: "DEADLINE_EXCEEDED", exit: 9, retryable: false },
  WORKER_CRASHED: { http: 500, grpc: "INTERNAL", exit: 9, retryable: true },
  OVERLOADED: { http: 429, grpc: "RESOURCE_EXHAUSTED", exit: 9, retryable: true },
  RUNTIME_MISSING: { http: 500, grpc: "FAILED_PRECONDITION", exit: 9, retryable: false },
} as const;

/** A stable error code; callers match on it, never on message text. */
export type ErrorCode = keyof typeof ERROR_CODES;
