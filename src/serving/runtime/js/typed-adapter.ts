import type { Datatype } from "../../../models/tensor/index.ts";
import type { NamedTensor, Parameters } from "../../plane/index.ts";
import { askedArguments, type PredictArgument } from "./asked-arguments.ts";
import { classTensor, isClassTensor, outputTensor, type ClassTensor } from "./class-tensors.ts";

/** One question to a class of the typed contract. */
export interface TypedCall {
  readonly inputs: readonly NamedTensor[];
  readonly parameters: Parameters;
  /** Empty unless the class asks for them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;
  readonly outputs: readonly string[] | undefined;
  readonly isStreamed: boolean;
}

/** What a class of the typed contract is. */
export interface TypedFacts {
  readonly isTyped: true;
  readonly asks: readonly PredictArgument[];
  /** True when `predict` yields. */
  readonly streams: boolean;
}

/** Names and datatypes of the outputs, where something says them. */
export type DeclaredOutputs = ReadonlyMap<string, Datatype>;

interface TypedUser {
  readonly predict: (...values: readonly unknown[]) => unknown;
  readonly load?: () => unknown;
  readonly unload?: () => unknown;
}

/** True when the first argument of `predict` is called `inputs`. */
export function isTypedUser(user: object): user is TypedUser {
  return "predict" in user && askedArguments(user.predict) !== undefined;
}

/** The typed contract over one object: `predict(inputs: Record<string, Tensor>)`, plain, async, or a generator of either kind. */
export class TypedAdapter {
  readonly #user: TypedUser;
  readonly #outputs: DeclaredOutputs;
  readonly #asked: readonly (PredictArgument | undefined)[];

  constructor(user: TypedUser, outputs: DeclaredOutputs) {
    this.#user = user;
    this.#outputs = outputs;
    this.#asked = askedArguments(user.predict) ?? [];
  }

  /** Runs `load()`, where there is one. */
  async load(): Promise<TypedFacts> {
    await this.#user.load?.();
    const kind = this.#user.predict.constructor.name;
    return {
      isTyped: true,
      asks: this.#asked.filter((one) => one !== undefined),
      streams: kind === "GeneratorFunction" || kind === "AsyncGeneratorFunction",
    };
  }

  async unload(): Promise<void> {
    await this.#user.unload?.();
  }

  /** The answers, one by one. Throws what user code throws. */
  async *infer(call: TypedCall): AsyncGenerator<readonly NamedTensor[], void> {
    const inputs: Record<string, ClassTensor> = Object.create(null) as Record<string, ClassTensor>; // no name is special
    for (const tensor of call.inputs) inputs[tensor.name] = classTensor(tensor);
    const asked = this.#asked.map((name) => (name === undefined ? undefined : call[name]));
    const given = await this.#user.predict(inputs, ...asked);
    if (isIterator(given)) for await (const one of given) yield this.#named(one);
    else yield this.#named(given);
  }

  /** A record of outputs by name; anything else is the only output. */
  #named(value: unknown): readonly NamedTensor[] {
    const isRecord =
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      !ArrayBuffer.isView(value) &&
      !isClassTensor(value);
    const named = isRecord ? Object.entries(value) : [[this.#onlyOutput(), value] as const];
    return named.map(([name, one]) => outputTensor(name, one, this.#outputs.get(name)));
  }

  #onlyOutput(): string {
    if (this.#outputs.size > 1)
      throw new TypeError("predict gave one value; it has to give an object of outputs by name");
    return this.#outputs.keys().next().value ?? "output";
  }
}

function isIterator(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "next" in value &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}
