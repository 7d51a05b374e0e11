export type { ClientFacts, ClientModel } from "./client-names.ts";
export { writePython } from "./write-python.ts";
export { writeTypescript } from "./write-typescript.ts";
