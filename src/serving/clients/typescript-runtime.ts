/** What every client in TypeScript has, whatever its models are. */
export const TYPESCRIPT_RUNTIME: string = String.raw`
/** What the server refused, in its own words. */
export class ModelError extends Error {
  override readonly name: string = "ModelError";
  /** HTTP status of the answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ClientOptions {
  /** Sent with each request, such as authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for an answer, in ms. Default 60,000. */
  readonly timeoutMs?: number;
}

type Scalar = number | bigint | boolean | string;
type Nested = Scalar | readonly Nested[];

/** Name, datatype and shape of a tensor; -1 is an axis of any length. */
type Spec = readonly [name: string, datatype: string, shape: readonly number[]];

function isList(value: Nested | undefined): value is readonly Nested[] {
  return Array.isArray(value);
}

function sizesOf(value: Nested, shape: readonly number[]): readonly number[] {
  let first: Nested | undefined = value;
  return shape.map((size) => {
    const length = isList(first) ? first.length : Math.max(size, 0);
    first = isList(first) ? first[0] : undefined;
    return length;
  });
}

/** A tensor as JSON; integers of 64 bits stay exact. */
function writeTensor([name, datatype, shape]: Spec, value: Nested): string {
  const sizes = sizesOf(value, shape);
  const wanted = JSON.stringify(shape);
  const isFitting = shape.every((size, axis) => size < 0 || size === sizes[axis]);
  const data: string[] = [];
  const add = (item: Nested, axis: number): void => {
    const size = sizes[axis];
    if (
      !isFitting ||
      isList(item) !== (size !== undefined) ||
      (isList(item) && item.length !== size)
    )
      throw new TypeError('input "' + name + '": its lists do not have the shape ' + wanted);
    if (isList(item)) for (const one of item) add(one, axis + 1);
    else data.push(typeof item === "string" ? JSON.stringify(item) : String(item));
  };
  add(value, 0);
  const head = JSON.stringify({ name, datatype, shape: sizes });
  return head.slice(0, -1) + ',"data":[' + data.join(",") + "]}";
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN|-?\d[\d.eE+-]*/g;

/** JSON with NaN and infinities; each number becomes its own text, so that nothing is rounded. */
function parseJson(text: string): unknown {
  return JSON.parse(
    text.replace(TOKENS, (token) => (token.startsWith('"') ? token : '"' + token + '"')),
  );
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** The reason in a refusal, or the text itself. */
function reasonIn(text: string): string {
  try {
    const error = member(parseJson(text), "error");
    const reason = typeof error === "string" ? error : member(error, "message");
    return typeof reason === "string" ? reason : text;
  } catch {
    return text; // no JSON
  }
}

function readScalar(datatype: string, value: unknown): Scalar {
  if (datatype === "BOOL" && typeof value === "boolean") return value;
  if (typeof value !== "string") throw new SyntaxError("it is no " + datatype);
  if (datatype === "BYTES") return value;
  return datatype === "INT64" || datatype === "UINT64" ? BigInt(value) : Number(value);
}

function nest(values: readonly Scalar[], [size, ...rest]: readonly number[]): Nested {
  if (size === undefined) return values[0] ?? 0;
  if (rest.length === 0) return values;
  const step = rest.reduce((product, one) => product * one, 1);
  return Array.from({ length: size }, (_, at) =>
    nest(values.slice(at * step, (at + 1) * step), rest),
  );
}

function readTensor(answer: unknown, [name, datatype, shape]: Spec): Nested {
  const outputs = member(answer, "outputs");
  const found: unknown = Array.isArray(outputs)
    ? outputs.find((one: unknown) => member(one, "name") === name)
    : undefined;
  const [sizes, data] = [member(found, "shape"), member(found, "data")];
  const lengths = Array.isArray(sizes) ? sizes.map(Number) : [];
  const count = lengths.reduce((product, one) => product * one, 1);
  const wanted = datatype + " " + JSON.stringify(shape);
  const wrong = 'the answer has no output "' + name + '" of ' + wanted;
  if (!Array.isArray(data) || lengths.length !== shape.length || data.length !== count)
    throw new ModelError(200, wrong);
  try {
    return nest(
      data.map((value: unknown) => readScalar(datatype, value)),
      lengths,
    );
  } catch (error) {
    if (error instanceof SyntaxError) throw new ModelError(200, wrong + ": " + error.message);
    throw error;
  }
}
`;

/** The members of the class that its methods call. */
export const TYPESCRIPT_CLASS_HEAD: string = String.raw`
  readonly #url: string;
  readonly #options: ClientOptions;

  /** @param url - where the server answers, such as http://localhost:9000 */
  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
  }

  async #infer(
    model: string,
    inputs: readonly string[],
    outputs: readonly Spec[],
  ): Promise<Readonly<Record<string, Nested>>> {
    const response = await fetch(this.#url + "/v2/models/" + encodeURIComponent(model) + "/infer", {
      method: "POST",
      headers: { ...this.#options.headers, "content-type": "application/json" },
      body: '{"inputs":[' + inputs.join(",") + "]}",
      signal: AbortSignal.timeout(this.#options.timeoutMs ?? 60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new ModelError(response.status, reasonIn(text));
    let answer: unknown;
    try {
      answer = parseJson(text);
    } catch {
      throw new ModelError(response.status, "the answer is no JSON");
    }
    return Object.fromEntries(outputs.map((spec) => [spec[0], readTensor(answer, spec)]));
  }
`;
