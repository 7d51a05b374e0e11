import type { Contract, Ports } from "../../models/description/index.ts";

/** Apart from the protocols' rows, since who packs, and who starts a server, needs nothing else of them. */
const PORTS: Readonly<Record<Contract, Ports>> = {
  seldon: { http: 9000, grpc: 5000, metrics: 6000 },
  uai: { http: 8080 },
  kserve: { http: 8080, grpc: 8081 },
  "model-server": { http: 5000 },
};

/** The ports of a contract, where nobody names others. */
export function defaultPortsOf(contract: Contract): Ports {
  return PORTS[contract];
}
