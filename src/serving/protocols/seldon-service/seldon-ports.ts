import type { Ports } from "../../../models/description/index.ts";

/** Ports of the wrapper, where nobody names others. */
export const SELDON_PORTS: Ports = { http: 9000, grpc: 5000, metrics: 6000 };
