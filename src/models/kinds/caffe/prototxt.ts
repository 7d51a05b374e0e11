/** Text that is no protobuf text format. */
export class PrototxtError extends Error {}

/** A message of the text format: every field with its values in order. */
export type PrototxtMessage = ReadonlyMap<string, readonly PrototxtValue[]>;
export type PrototxtValue = string | PrototxtMessage;

const MAX_DEPTH = 32;
const TOKEN =
  /\s+|#[^\n]*|([A-Za-z_][\w.]*|[-+]?[\w.+-]+)|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|([{}[\]:;,<>])/gy;

interface Token {
  readonly text: string;
  readonly isSign: boolean;
}

/** Parses the text format of protobuf. Scalars stay text. @see https://protobuf.dev/reference/protobuf/textformat-spec/ */
export function parsePrototxt(text: string): PrototxtMessage {
  const tokens = tokensOf(text);
  const state = { tokens, at: 0 };
  const message = parseFields(state, undefined, 0);
  return message;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null)
      throw new PrototxtError(`line ${text.slice(0, at).split("\n").length} cannot be read`);
    const [, word, double, single, sign] = match;
    const found = word ?? double ?? single;
    if (found !== undefined) tokens.push({ text: found, isSign: false });
    if (sign !== undefined) tokens.push({ text: sign, isSign: true });
  }
  return tokens;
}

interface State {
  readonly tokens: readonly Token[];
  at: number;
}

function parseFields(state: State, end: string | undefined, depth: number): PrototxtMessage {
  if (depth > MAX_DEPTH) throw new PrototxtError("it is nested too deep");
  const fields = new Map<string, PrototxtValue[]>();
  for (;;) {
    const token = state.tokens[state.at];
    if (token === undefined) {
      if (end === undefined) return fields;
      throw new PrototxtError(`it ends before a "${end}"`);
    }
    state.at += 1;
    if (token.isSign && token.text === end) return fields;
    if (token.isSign && /[;,]/.test(token.text)) continue;
    if (token.isSign) throw new PrototxtError(`a "${token.text}" stands where a name should`);
    const values = parseValues(state, depth);
    fields.set(token.text, [...(fields.get(token.text) ?? []), ...values]);
  }
}

function parseValues(state: State, depth: number): readonly PrototxtValue[] {
  if (isSign(state, ":")) state.at += 1;
  if (!isSign(state, "[")) return [parseValue(state, depth)];
  state.at += 1;
  const values: PrototxtValue[] = [];
  while (!isSign(state, "]")) {
    values.push(parseValue(state, depth));
    if (isSign(state, ",")) state.at += 1;
  }
  state.at += 1;
  return values;
}

function parseValue(state: State, depth: number): PrototxtValue {
  const token = state.tokens[state.at];
  state.at += 1;
  if (token === undefined) throw new PrototxtError("it ends before a value");
  if (!token.isSign) return token.text;
  if (token.text === "{") return parseFields(state, "}", depth + 1);
  if (token.text === "<") return parseFields(state, ">", depth + 1);
  throw new PrototxtError(`a "${token.text}" stands where a value should`);
}

function isSign({ tokens, at }: State, text: string): boolean {
  const token = tokens[at];
  return token?.isSign === true && token.text === text;
}
