import { InferenceError, type ToolError } from "../../ground/errors/index.ts";
import type { Exchange } from "../transport/index.ts";

const PRIORITY = "slipway-priority";
const TIMEOUT = "slipway-timeout-ms";

/** What headers, or metadata over gRPC, say of a call's waiting. */
interface Waiting {
  priority: number | undefined;
  deadlineAt: number | undefined;
}

/**
 * Reads `Slipway-Priority` (1 is the most urgent; 0 is none) and `Slipway-Timeout-Ms` into a request, for every protocol.
 * @returns why it is refused: a value that is no whole number
 */
export function readWaiting(
  request: Waiting & Pick<Exchange, "header" | "startedAt">,
): ToolError | undefined {
  const [priority, timeout] = [request.header(PRIORITY), request.header(TIMEOUT)];
  if (priority === undefined && timeout === undefined) return undefined;
  const wrong = [priority, timeout].find((text) => text !== undefined && !/^\d{1,9}$/.test(text));
  if (wrong !== undefined)
    return new InferenceError(
      "REQUEST_INVALID",
      `read the request: Slipway-Priority and Slipway-Timeout-Ms are whole numbers, and one is "${wrong.slice(0, 40)}"`,
    );
  if (Number(priority ?? 0) > 0) request.priority = Number(priority);
  if (Number(timeout ?? 0) > 0) request.deadlineAt = request.startedAt + Number(timeout);
  return undefined;
}
