import { ToolError } from "../../../ground/errors/index.ts";
import type { FetchEnvironment } from "../contracts.ts";

/** One request whose answer is a model. */
export interface UrlRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a POST. */
  readonly body?: Uint8Array | undefined;
  /** The other end and the model, without secrets. */
  readonly label: string;
  /** True when the other end is a model store, which gives archives. */
  readonly isStore: boolean;
}

/** `MODEL_URL_HEADERS`: `Name: value`, one a line or with `;` between them. */
export function headersFrom(env: FetchEnvironment): Readonly<Record<string, string>> {
  const text = env["MODEL_URL_HEADERS"] ?? "";
  return Object.fromEntries(
    text
      .split(/[\n;]/)
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const [, name, value] =
          /^\s*([!#$%&'*+.^_`|~\w-]+)\s*:\s*([\t\x20-\x7e]*?)\s*$/.exec(line) ?? [];
        if (name === undefined || value === undefined)
          throw new ToolError("USAGE", "read the variable MODEL_URL_HEADERS: a line is no header", {
            hint: "write `Name: value`, one header a line",
          });
        return [name.toLowerCase(), value];
      }),
  );
}
