import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { TlsFiles } from "../transport/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const FOLDER = "SELDON_CERT_MOUNT_PATH";
/** The names are those of Seldon's executor; the last one is ours. */
const CERT = "SELDON_CERT_FILE_NAME";
const KEY = "SELDON_CERT_KEY_FILE_NAME";
const CA = "SELDON_CERT_CA_FILE_NAME";

/** True when the environment asks for TLS. */
export function hasTls(env: Environment): boolean {
  return (env[FOLDER] ?? "") !== "";
}

/**
 * Certificate and key for REST and gRPC, from the folder `SELDON_CERT_MOUNT_PATH`: `tls.crt` and `tls.key`, unless `SELDON_CERT_FILE_NAME`
 * and `SELDON_CERT_KEY_FILE_NAME` say otherwise. With `SELDON_CERT_CA_FILE_NAME` clients must show a certificate of that authority.
 * Undefined without a folder.
 * @param root - stands before the folder, for images that run without a container
 * @throws ToolError `USAGE` naming the file that cannot be read
 */
export async function readTls(env: Environment, root = ""): Promise<TlsFiles | undefined> {
  const folder = env[FOLDER];
  if (folder === undefined || folder === "") return undefined;
  const read = (variable: string, name: string): Promise<string> =>
    readPem(join(root, folder, env[variable] ?? name), variable);
  const cert = await read(CERT, "tls.crt");
  const key = await read(KEY, "tls.key");
  const ca = env[CA];
  return { cert, key, ...(ca !== undefined && ca !== "" && { ca: await read(CA, ca) }) };
}

async function readPem(path: string, variable: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError(
      "USAGE",
      `read the TLS file "${path}": ${error instanceof Error ? error.message : String(error)}`,
      { cause: error, hint: `${FOLDER} and ${variable} name it` },
    );
  });
  if (!text.includes("-----BEGIN "))
    throw new ToolError("USAGE", `read the TLS file "${path}": it is not PEM`, {
      hint: `${FOLDER} and ${variable} name it`,
    });
  return text;
}
