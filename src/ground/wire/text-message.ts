import { WireError } from "./wire-error.ts";

/** A message in protobuf's text format. A field has all its values, in the order of the text. */
export interface TextMessage {
  readonly fields: ReadonlyMap<string, readonly TextValue[]>;
}

/** A value: a message, or a word. Whether a word is a number or a name only the schema knows. */
type TextValue =
  | TextMessage
  | { readonly word: string; readonly isText: boolean; readonly fields?: undefined };

const MAX_DEPTH = 100;
const TOKEN =
  /\s+|#[^\n]*|(?<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<word>[\w.+-]+)|(?<mark>[{}<>[\]:;,/])/gy;

/**
 * Reads protobuf's text format, as `.prototxt`, `.pbtxt` and `pipeline.config` have it, without a schema.
 * @throws WireError with the line of what makes no sense.
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */
export function parseTextMessage(text: string): TextMessage {
  const parser = new TextParser(text);
  return parser.message(undefined, 0);
}

/** The messages of a field. */
export function messagesOf(message: TextMessage | undefined, name: string): readonly TextMessage[] {
  const values = message?.fields.get(name) ?? [];
  return values.filter((value): value is TextMessage => value.fields !== undefined);
}

/** The only or last message of a field. */
export function messageOf(message: TextMessage | undefined, name: string): TextMessage | undefined {
  return messagesOf(message, name).at(-1);
}

/** The words of a field. */
export function wordsOf(message: TextMessage | undefined, name: string): readonly string[] {
  const values = message?.fields.get(name) ?? [];
  return values.flatMap((value) => (value.fields === undefined ? [value.word] : []));
}

/** The only or last word of a field. */
export function wordOf(message: TextMessage | undefined, name: string): string | undefined {
  return wordsOf(message, name).at(-1);
}

/** The number of a field, or what it is by default. @throws WireError when it is no number */
export function numberOf(
  message: TextMessage | undefined,
  name: string,
  otherwise: number,
): number {
  const word = wordOf(message, name);
  if (word === undefined) return otherwise;
  const value = Number(word.replace(/(?<=[\d.])f$/i, ""));
  if (Number.isNaN(value)) throw new WireError(`${name} is "${word}", which is no number`);
  return value;
}

/** The truth value of a field, or what it is by default. */
export function truthOf(
  message: TextMessage | undefined,
  name: string,
  otherwise: boolean,
): boolean {
  const word = wordOf(message, name);
  return word === undefined ? otherwise : /^(?:true|t|1)$/i.test(word);
}

interface Token {
  readonly kind: "text" | "word" | "mark" | "end";
  readonly value: string;
}

class TextParser {
  readonly #text: string;
  #at = 0;
  #token: Token;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  /** Fields up to a closing mark, or to the end. */
  message(close: string | undefined, depth: number): TextMessage {
    if (depth > MAX_DEPTH) throw this.#wrong(`it is nested deeper than ${MAX_DEPTH} levels`);
    const fields = new Map<string, TextValue[]>();
    while (!this.#isAt(close)) {
      const name = this.#fieldName();
      const values = this.#values(depth);
      const known = fields.get(name);
      if (known === undefined) fields.set(name, [...values]);
      else for (const value of values) known.push(value);
      if (this.#isMark(";") || this.#isMark(",")) this.#next();
    }
    if (close !== undefined) this.#next();
    return { fields };
  }

  #fieldName(): string {
    const { kind, value } = this.#token;
    if (kind === "word") {
      this.#next();
      return value;
    }
    if (!this.#isMark("[")) throw this.#wrong(`"${value}" stands where a field's name should be`);
    let name = "";
    for (this.#next(); !this.#isMark("]"); this.#next()) name += this.#name();
    this.#next();
    return `[${name}]`;
  }

  #name(): string {
    if (this.#token.kind === "end") throw this.#wrong("it ends inside a field's name");
    return this.#token.value;
  }

  #values(depth: number): readonly TextValue[] {
    const hasColon = this.#isMark(":");
    if (hasColon) this.#next();
    if (!this.#isMark("[")) return [this.#value(hasColon, depth)];
    const values: TextValue[] = [];
    for (this.#next(); !this.#isMark("]");) {
      values.push(this.#value(true, depth));
      if (this.#isMark(",")) this.#next();
    }
    this.#next();
    return values;
  }

  #value(mayBeWord: boolean, depth: number): TextValue {
    for (const [open, close] of [["{", "}"] as const, ["<", ">"] as const])
      if (this.#isMark(open)) {
        this.#next();
        return this.message(close, depth + 1);
      }
    const { kind, value } = this.#token;
    if (!mayBeWord || (kind !== "word" && kind !== "text"))
      throw this.#wrong(`"${value}" stands where a value should be`);
    if (kind === "word") {
      this.#next();
      return { word: value, isText: false };
    }
    let word = "";
    for (; this.#token.kind === "text"; this.#next()) word += unquote(this.#token.value);
    return { word, isText: true };
  }

  #isAt(close: string | undefined): boolean {
    if (this.#token.kind !== "end") return close !== undefined && this.#isMark(close);
    if (close !== undefined) throw this.#wrong(`it ends before "${close}"`);
    return true;
  }

  #isMark(mark: string): boolean {
    return this.#token.kind === "mark" && this.#token.value === mark;
  }

  #next(): void {
    this.#token = this.#read();
  }

  #read(): Token {
    while (this.#at < this.#text.length) {
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#text);
      if (match === null) throw this.#wrong(`"${this.#text[this.#at]}" makes no sense`);
      this.#at = TOKEN.lastIndex;
      const { text, word, mark } = match.groups ?? {};
      if (text !== undefined) return { kind: "text", value: text };
      if (word !== undefined) return { kind: "word", value: word };
      if (mark !== undefined) return { kind: "mark", value: mark };
    }
    return { kind: "end", value: "the end" };
  }

  #wrong(why: string): WireError {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new WireError(`line ${line}: ${why}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(x[\da-f]{1,2}|[0-7]{1,3}|.)/gi, (_, escape: string) => {
    if (/^x[\da-f]/i.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    return ESCAPES[escape] ?? escape;
  });
}
