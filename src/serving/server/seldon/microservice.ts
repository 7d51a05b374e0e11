import { ToolError } from "../../../ground/errors/index.ts";
import {
  interfaceNameOf,
  type CodeEntry,
  type ModelDescription,
} from "../../../models/description/index.ts";
import { parseInterfaceName } from "../../runtime/index.ts";
import { defaultPortsOf } from "../../protocols/index.ts";
import { signatureByMethod } from "./answer-method.ts";
import type { SeldonLaunch } from "./launch.ts";

/** Where a class that is served without an image comes from. */
export interface MicroservicePlace {
  /** Folder of the class; absolute. */
  readonly codePath: string;
  /** Python interpreter, a path or a name on PATH. */
  readonly python: string;
  /** Further folders that Python imports from. */
  readonly pythonPath: readonly string[];
  /** The class that an image was made for; it is meant when it is called by its name, also where it is no Python. */
  readonly code?: CodeEntry | undefined;
}

/** What `seldon-core-microservice NAME` serves. @throws ToolError `USAGE` without a name */
export function describeMicroservice(
  launch: SeldonLaunch,
  place: MicroservicePlace,
): ModelDescription {
  const { interfaceName, serviceType = "MODEL", workers = 1 } = launch;
  if (interfaceName === undefined)
    throw new ToolError("USAGE", "read the arguments: the class is missing", {
      hint: "seldon-core-microservice MyModel --service-type MODEL",
    });
  return {
    schemaVersion: 1,
    name: interfaceName,
    kind: "class",
    contract: "seldon",
    service: serviceType,
    codePath: place.codePath,
    code: codeOf(interfaceName, place.code),
    ports: { ...defaultPortsOf("seldon"), ...launch.ports },
    server: { workers },
    python: { executable: place.python, path: place.pythonPath },
  };
}

/** A description with what the environment says put over it: another class, outputs of another method, service type, number of workers, ports. */
export function applyLaunch(description: ModelDescription, launch: SeldonLaunch): ModelDescription {
  const { interfaceName, serviceType, workers, ports, parameters } = launch;
  const { code, kind } = description;
  const signature = signatureByMethod(description, parameters);
  const isPython = kind === "class" && code?.language !== "javascript";
  return {
    ...description,
    ports: { ...description.ports, ...ports },
    server: { ...description.server, ...(workers !== undefined && { workers }) },
    ...(signature !== undefined && { signature }),
    ...(serviceType !== undefined && { service: serviceType }),
    ...(interfaceName !== undefined && isPython && { code: codeOf(interfaceName, code) }),
  };
}

function codeOf(interfaceName: string, known: CodeEntry | undefined): CodeEntry {
  return known !== undefined && interfaceNameOf(known) === interfaceName
    ? known
    : parseInterfaceName(interfaceName);
}
