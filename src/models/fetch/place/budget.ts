import { ToolError } from "../../../ground/errors/index.ts";
import type { FetchLimits } from "../contracts.ts";

/** What one content has taken of the bounds for all. */
export interface BudgetShare {
  /** @throws ToolError `LIMIT_EXCEEDED` */
  addFile(): void;
  /** @throws ToolError `LIMIT_EXCEEDED` */
  addBytes(count: number): void;
  /** Gives everything back, as for a content that is begun again. */
  release(): void;
}

/** Bounds of a model as a whole, shared by contents that are fetched at the same time. */
export function createBudget({ maxBytes, maxFiles }: FetchLimits): () => BudgetShare {
  const used = { bytes: 0, files: 0 };
  return () => {
    const own = { bytes: 0, files: 0 };
    return {
      addFile() {
        own.files += 1;
        used.files += 1;
        if (used.files > maxFiles)
          throw new ToolError(
            "LIMIT_EXCEEDED",
            `unpack the model: it has more than ${maxFiles} files`,
          );
      },
      addBytes(count) {
        own.bytes += count;
        used.bytes += count;
        if (used.bytes <= maxBytes) return;
        throw new ToolError(
          "LIMIT_EXCEEDED",
          `unpack the model: it is too large: more than ${maxBytes} bytes`,
          {
            hint: "raise MODEL_MAX_BYTES when it is as large as that",
          },
        );
      },
      release() {
        used.bytes -= own.bytes;
        used.files -= own.files;
        own.bytes = 0;
        own.files = 0;
      },
    };
  };
}
