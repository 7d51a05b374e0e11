import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  parseGraphFile,
  type ModelDescription,
  type Ports,
} from "../../../src/models/description/index.ts";
import { createLogger, serveGraph, type RunningServer } from "../../../src/serving/server/index.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/graph");

export interface GraphStart {
  /** Interpreter of the components. */
  readonly python: string;
  /** Port of nodes elsewhere. Default 1, where nobody answers. */
  readonly stubPort?: number;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly ports: Partial<Ports>;
}

/** Serves one of the recorded graphs in this process. */
export async function startGraph(
  graph: string,
  { python, stubPort = 1, env, ports }: GraphStart,
): Promise<RunningServer> {
  const file = join(FIXTURES, "graphs", `${graph}.yaml`);
  const text = readFileSync(file, "utf8").replaceAll("{stub_port}", String(stubPort));
  const places = JSON.parse(readFileSync(file.replace(/yaml$/, "components.json"), "utf8"));
  const components = Object.entries(places as Readonly<Record<string, string>>).map(
    ([name, place]) => [name, componentOf(name, place, python)] as const,
  );
  return serveGraph(await parseGraphFile(text, { file }), new Map(components), {
    host: "127.0.0.1",
    ports,
    env: { PATH: process.env["PATH"], ...env },
    log: createLogger({ write: () => undefined }),
  });
}

function componentOf(name: string, place: string, python: string): ModelDescription {
  const [file = "", symbol = ""] = place.split(":");
  const codePath = join(FIXTURES, "components");
  return {
    schemaVersion: 1,
    name,
    kind: "class",
    contract: "seldon",
    service: "MODEL",
    codePath,
    code: { file, name: symbol, language: "python" },
    ports: { http: 0 },
    server: {},
    python: { executable: python, path: [codePath] },
  };
}
