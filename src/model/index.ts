export type { CodeEntry, Contract, ModelDescription, ModelKind, Ports, ServerSettings, ServiceType } from "./description.ts";
