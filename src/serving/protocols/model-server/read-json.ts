import { takesImage } from "../../../models/inputs/index.ts";
import { byteItems, type TensorSpec } from "../../../models/tensor/index.ts";
import type { NamedTensor, PredictorFacts } from "../../plane/index.ts";
import { JsonError, JsonReader } from "../json/index.ts";
import { readPredict } from "../v1/read-predict.ts";
import { requestInvalid, shortName } from "../request-errors.ts";
import { readInferJson } from "../v2/read-infer-json.ts";
import { specsOf, type Question, type SentImage } from "./question.ts";

const OBJECT = 0x7b;
const LIST = 0x5b;
const QUOTE = 0x22;
/** Names of pictures in a body. */
const IMAGE_KEYS: readonly string[] = ["image", "images"];
const NAMELESS_B64 = '"b64"';
const MAX_IMAGES = 256;

/**
 * Reads JSON: `{"inputs": …}` with one tensor, tensors by name, or V2's list of them; `{"instances": rows}`; `{"image": base64}` or a list
 * `images`; a bare list for the only input; an object with the inputs themselves by name. `parameters` are settings.
 * @throws InferenceError `REQUEST_INVALID`, `TENSOR_INVALID`
 */
export function readJsonBody(body: Buffer, facts: PredictorFacts): Question {
  try {
    return new BodyReader(body, facts).read();
  } catch (error) {
    if (error instanceof JsonError)
      throw requestInvalid(`it is no JSON at byte ${error.at}: ${error.message}`);
    throw error;
  }
}

class BodyReader {
  readonly #reader = new JsonReader();
  readonly #body: Buffer;
  readonly #facts: PredictorFacts;
  readonly #images: SentImage[] = [];
  readonly #settings = new Map<string, string>();

  constructor(body: Buffer, facts: PredictorFacts) {
    this.#body = body;
    this.#facts = facts;
  }

  read(): Question {
    const reader = this.#reader;
    reader.open(this.#body);
    if (reader.peek() === LIST) return this.#question(this.#columns(wrapped(this.#body)));
    if (reader.peek() !== OBJECT) throw requestInvalid("it is neither a JSON object nor a list");
    const keys = this.#keys();
    if (keys.has("instances")) return this.#question(this.#columns(this.#body));
    if (keys.has("inputs"))
      return this.#question(
        keys.get("inputs") === "tensors" ? this.#typed() : this.#columns(this.#body),
      );
    const others = [...keys.keys()].filter((key) => key !== "parameters");
    if (others.length > 0) return this.#question(this.#named(others));
    if (this.#images.length > 0) return this.#question([]);
    throw requestInvalid(
      "it has no inputs",
      'give "inputs": {NAME: values}, "instances": [row, …] or "image": base64',
    );
  }

  #question(tensors: readonly NamedTensor[]): Question {
    const images = tensors.flatMap((tensor) =>
      this.#isPicture(tensor)
        ? byteItems(tensor.data).map((bytes) => ({ input: tensor.name, bytes }))
        : [],
    );
    return {
      tensors: tensors.filter((tensor) => !this.#isPicture(tensor)),
      images: [...this.#images, ...images],
      settings: this.#settings,
    };
  }

  /** Goes through all members; takes pictures and settings. Values: `tensors` for V2's list of objects, else nothing. */
  #keys(): ReadonlyMap<string, string> {
    const reader = this.#reader;
    const found = new Map<string, string>();
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (IMAGE_KEYS.includes(key) && !this.#isInput(key)) this.#takeImages();
      else if (key === "parameters") this.#takeSettings();
      else {
        found.set(key, this.#isTensorList() ? "tensors" : "");
        reader.skip();
      }
    }
    reader.finish();
    return found;
  }

  #isInput(name: string): boolean {
    const spec = specsOf(this.#facts)?.find((one) => one.name === name);
    return spec !== undefined && !this.#takesImage(spec);
  }

  #isTensorList(): boolean {
    const reader = this.#reader;
    if (reader.peek() !== LIST) return false;
    const { at, depth } = reader;
    reader.enter(LIST);
    const isTensor = reader.firstItem() && reader.peek() === OBJECT && this.#hasDatatype();
    reader.rewind(at, depth);
    return isTensor;
  }

  #hasDatatype(): boolean {
    const reader = this.#reader;
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      if (key === "datatype") return true;
      reader.skip();
    }
    return false;
  }

  #takeImages(): void {
    const reader = this.#reader;
    if (reader.peek() === QUOTE) {
      this.#images.push({ bytes: base64Of(reader.string()) });
      return;
    }
    if (reader.peek() !== LIST)
      throw requestInvalid("image is neither base64 text nor a list of it");
    reader.enter(LIST);
    for (let more = reader.firstItem(); more; more = reader.nextItem()) {
      if (reader.peek() !== QUOTE)
        throw requestInvalid("images hold something else than base64 text");
      if (this.#images.length === MAX_IMAGES)
        throw requestInvalid(`it has more than ${MAX_IMAGES} images`);
      this.#images.push({ bytes: base64Of(reader.string()) });
    }
  }

  #takeSettings(): void {
    const reader = this.#reader;
    if (reader.peek() !== OBJECT) throw requestInvalid("parameters is no object");
    reader.enter(OBJECT);
    for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
      reader.peek();
      const start = reader.at;
      if (reader.peek() === QUOTE) this.#settings.set(key, reader.string());
      else {
        reader.skip();
        this.#settings.set(key, reader.slice(start, reader.at).replaceAll(/[[\]\s]/g, ""));
      }
    }
  }

  #typed(): readonly NamedTensor[] {
    return readInferJson(new JsonReader(), this.#body).inputs;
  }

  /** An object with inputs by name, which is what `inputs` may be. */
  #named(keys: readonly string[]): readonly NamedTensor[] {
    const specs = specsOf(this.#facts);
    const unknown = keys.find((key) => specs?.some(({ name }) => name === key) === false);
    if (unknown !== undefined || specs === undefined)
      throw requestInvalid(
        `it has "${shortName(unknown ?? keys[0] ?? "")}", which is no input of the model`,
        `give "inputs", "instances" or "image"${specs === undefined ? "" : `; inputs are ${specs.map(({ name }) => `"${shortName(name)}"`).join(", ")}`}`,
      );
    return this.#columns(wrapped(this.#body));
  }

  /** `{"b64": …}` in place of numbers is a picture. */
  #columns(body: Buffer): readonly NamedTensor[] {
    const specs = specsOf(this.#facts);
    const hasItems = body.includes(NAMELESS_B64);
    const asked = specs?.map((spec) =>
      hasItems && spec.datatype !== "BYTES" && this.#takesImage(spec)
        ? { ...spec, datatype: "BYTES" as const, shape: [-1] }
        : spec,
    );
    return readPredict(new JsonReader(), body, asked).inputs;
  }

  #isPicture({ name, datatype }: NamedTensor): boolean {
    const spec = specsOf(this.#facts)?.find((one) => one.name === name);
    return datatype === "BYTES" && spec !== undefined && spec.datatype !== "BYTES";
  }

  #takesImage(spec: TensorSpec): boolean {
    return takesImage(spec, this.#facts.preprocess, {
      isRawBlueFirst: this.#facts.kind === "caffe",
    });
  }
}

/** The body as the value of `inputs`. */
function wrapped(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"inputs":'), body, Buffer.from("}")]);
}

/** Bytes of base64, also with the `data:` that pages put before it. */
function base64Of(text: string): Uint8Array {
  const plain = text.replace(/^data:[\w/+.-]*;base64,/, "");
  if (!/^[A-Za-z0-9+/_\-\s]*={0,2}\s*$/.test(plain)) throw requestInvalid("an image is no base64");
  return Buffer.from(plain, "base64");
}
