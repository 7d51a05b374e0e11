import { ProjectError } from "../../ground/errors/index.ts";

/** A value of protobuf's text format: a scalar as text (of numbers, booleans and names of enums too), or a message. */
type TextValue = string | TextMessage;
/** Fields in order; one that came several times has several values. */
export type TextMessage = ReadonlyMap<string, readonly TextValue[]>;

const MAX_CHARACTERS = 4 * 2 ** 20;
const MAX_DEPTH = 64;
const TOKEN =
  /\s*(?:#[^\n]*\s*)*(?:("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([\w.+-]+)|([{}<>[\]:,;]))/y;
const REST = /\s*(?:#[^\n]*\s*)*$/y;

/**
 * Reads protobuf's text format without a schema, as `config.pbtxt` and `models.config` are written.
 * @param file - how it is called in errors
 * @throws ProjectError `PROJECT_INVALID` naming the line
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */
export function parseTextProto(text: string, file: string): TextMessage {
  if (text.length > MAX_CHARACTERS)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": it is longer than ${MAX_CHARACTERS} characters`,
      { file },
    );
  return new TextProtoReader(text, file).message(undefined, 0);
}

/** The last value of a field that is a scalar. */
export function textField(message: TextMessage, name: string): string | undefined {
  const value = message.get(name)?.at(-1);
  return typeof value === "string" ? value : undefined;
}

/** All values of a field that are messages. */
export function messagesIn(message: TextMessage, name: string): readonly TextMessage[] {
  return (message.get(name) ?? []).filter((value) => typeof value !== "string");
}

/** All values of a field that are scalars. */
export function textsIn(message: TextMessage, name: string): readonly string[] {
  return (message.get(name) ?? []).filter((value) => typeof value === "string");
}

class TextProtoReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** @param end - the bracket that ends it; undefined for the file's end */
  message(end: string | undefined, depth: number): TextMessage {
    if (depth > MAX_DEPTH) throw this.#wrong(`messages are nested deeper than ${MAX_DEPTH}`);
    const fields = new Map<string, TextValue[]>();
    for (;;) {
      const token = this.#next();
      if (token === end) return fields;
      if (token === "," || token === ";") continue;
      if (token === undefined) throw this.#wrong("it ends inside a message");
      if (!/^\w+$/.test(token))
        throw this.#wrong(`a field's name is wanted, and ${token} is there`);
      const values = fields.get(token) ?? [];
      fields.set(token, values);
      values.push(...this.#values(depth));
    }
  }

  #values(depth: number): readonly TextValue[] {
    let token = this.#next();
    if (token === ":") token = this.#next();
    if (token !== "[") return [this.#value(token, depth)];
    const values: TextValue[] = [];
    for (let item = this.#next(); item !== "]"; item = this.#next())
      if (item !== ",") values.push(this.#value(item, depth));
    return values;
  }

  #value(token: string | undefined, depth: number): TextValue {
    if (token === "{" || token === "<") return this.message(token === "{" ? "}" : ">", depth + 1);
    if (token === undefined || /^[}\]>:,;]$/.test(token))
      throw this.#wrong(`a value is wanted, and ${token ?? "the end"} is there`);
    if (!/^["']/.test(token)) return token;
    let text = unescaped(token);
    for (let peek = this.#peek(); peek !== undefined && /^["']/.test(peek); peek = this.#peek())
      text += unescaped(this.#next() ?? ""); // strings that follow each other are one
    return text;
  }

  #peek(): string | undefined {
    const at = this.#at;
    const token = this.#next();
    this.#at = at;
    return token;
  }

  /** The next token; undefined at the end. */
  #next(): string | undefined {
    TOKEN.lastIndex = this.#at;
    const [whole = "", quoted, word, mark] = TOKEN.exec(this.#text) ?? [];
    const token = quoted ?? word ?? mark;
    if (token === undefined) {
      REST.lastIndex = this.#at;
      if (REST.test(this.#text)) return undefined;
      throw this.#wrong("there is a character that has no place in protobuf's text format");
    }
    this.#at += whole.length;
    return token;
  }

  #wrong(why: string): ProjectError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new ProjectError("PROJECT_INVALID", `read "${this.#file}" at line ${line}: ${why}`, {
      file: this.#file,
      line,
    });
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unescaped(token: string): string {
  return token.slice(1, -1).replaceAll(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)/g, (_, code: string) => {
    if (code.length > 1 && code.startsWith("x"))
      return String.fromCharCode(parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
}
