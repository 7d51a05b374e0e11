import type { ModelDocument, ServerDocument } from "../../src/serving/page/server-document.ts";
import { askServer, KeyWanted } from "./ask-server.ts";

export type { ModelDocument, ServerDocument };
export type TensorSpec = ModelDocument["inputs"][number];
export type Datatype = TensorSpec["datatype"];

/** What the server says of itself and its models. @throws KeyWanted; Error in words for people */
export async function fetchServer(signal: AbortSignal): Promise<ServerDocument> {
  const response = await askServer("/ui/server.json", { signal });
  if (response.status === 401) throw new KeyWanted(await response.text());
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as ServerDocument; // our own server's
}

/** Key of a model in the page's address. */
export function addressOf({ name, version }: ModelDocument): string {
  return `#/${encodeURIComponent(name)}/${encodeURIComponent(version)}`;
}
