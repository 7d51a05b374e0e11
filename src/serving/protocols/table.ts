import { ToolError } from "../../ground/errors/index.ts";
import type { Protocol } from "./protocol.ts";
import { modelServerProtocol } from "./model-server/model-server-protocol.ts";
import { seldonProtocol } from "./seldon-service/seldon-protocol.ts";
import { uaiProtocol } from "./uai/uai-protocol.ts";
import { v1Protocol } from "./v1/v1-protocol.ts";
import { v2Protocol } from "./v2/v2-protocol.ts";

/** Every protocol that a server speaks. The first one answers what no route takes, unless the server's own contract does. */
export const PROTOCOLS: readonly Protocol[] = [
  seldonProtocol,
  uaiProtocol,
  v2Protocol,
  v1Protocol,
  modelServerProtocol,
];

/** The row of a name. @throws ToolError `UNSUPPORTED` for a name without a row */
export function protocolOf(name: string): Protocol {
  const found = PROTOCOLS.find((protocol) => protocol.name === name);
  if (found !== undefined) return found;
  const names = PROTOCOLS.map((protocol) => protocol.name).join(", ");
  throw new ToolError("UNSUPPORTED", `find the protocol "${name}": there is none of this name`, {
    hint: `choose from ${names}`,
  });
}
