import { imageError } from "./image-error.ts";
import { readImageHeader, type ImageFormat, type ImageHeader } from "./image-header.ts";
import { turned, type Pixels } from "./pixels.ts";
import { wasmModule } from "./wasm-module.ts";

/** Limits on what is decoded. */
export interface ImageLimits {
  /** Default 50,000,000. */
  readonly maxPixels?: number;
}

/** Pixels of a picture that is decoded at the most: 200 MB of memory, and the same again while it is turned. */
const MAX_IMAGE_PIXELS = 50_000_000;

/**
 * Decodes pictures, one at a time. Takes time and memory by the pixel: meant for a thread of its own. What it loads it keeps, and what a
 * damaged picture leaves behind in a decoder is thrown away.
 */
export interface ImageDecoder {
  /**
   * JPEG, PNG, WebP, and the first frame of GIF, turned as its EXIF block says. What is too large by its first bytes is refused before it
   * is decoded.
   * @throws InferenceError `REQUEST_INVALID` for what is no picture, or is damaged; `LIMIT_EXCEEDED`
   */
  decode(bytes: Uint8Array, limits?: ImageLimits): Promise<Pixels>;
  /** True when damaged pictures have used up its memory: a new thread is due. */
  readonly isWornOut: boolean;
}

/** Nothing is loaded before the first picture of a format. */
export function createImageDecoder(): ImageDecoder {
  const decoders: Partial<Record<ImageFormat, Promise<FormatDecoder>>> = {};
  let pngMemory: WebAssembly.Memory | undefined;
  const loadPng = async (): Promise<FormatDecoder> => {
    const { decode, memory } = await loadPngDecoder();
    pngMemory = memory;
    return { decode };
  };
  const loaders = { jpeg: loadJpeg, webp: loadWebp, gif: loadGif, png: loadPng };
  return {
    async decode(bytes, limits = {}) {
      const header = checkImage(bytes, limits);
      const decoder = await (decoders[header.format] ??= loaders[header.format]());
      const pixels = await decodedBy(decoder, bytes, header);
      if (pixels.width !== header.width || pixels.height !== header.height)
        throw imageError("its header says another size than its pixels have");
      return turned(pixels, header.orientation);
    },
    get isWornOut() {
      return (pngMemory?.buffer.byteLength ?? 0) > MAX_PNG_MEMORY;
    },
  };
}

/** The PNG decoder leaks what a damaged picture took. */
const MAX_PNG_MEMORY = 1.5 * 2 ** 30;

/**
 * Holds the first bytes of a picture against the limits.
 * @throws InferenceError `REQUEST_INVALID` for what is no picture; `LIMIT_EXCEEDED`
 */
export function checkImage(
  bytes: Uint8Array,
  { maxPixels = MAX_IMAGE_PIXELS }: ImageLimits = {},
): ImageHeader {
  const header = readImageHeader(bytes);
  if (header === undefined)
    throw imageError("it is no JPEG, PNG, WebP or GIF, or is cut off", {
      hint: "send the file as it is, such as by curl --data-binary @FILE",
    });
  const { width, height } = header;
  if (width * height > maxPixels) throw tooLarge(width, height, maxPixels);
  return header;
}

function tooLarge(width: number, height: number, maxPixels: number): Error {
  return imageError(`it has ${width} x ${height} pixels, and ${maxPixels} are the most`, {
    code: "LIMIT_EXCEEDED",
    hint: "send it smaller",
  });
}

interface FormatDecoder {
  readonly decode: (bytes: Uint8Array, header: ImageHeader) => Promise<Pixels> | Pixels;
  /** Makes it new after a damaged picture. */
  readonly renew?: () => Promise<void>;
}

async function decodedBy(
  { decode, renew }: FormatDecoder,
  bytes: Uint8Array,
  header: ImageHeader,
): Promise<Pixels> {
  try {
    return await decode(bytes, header);
  } catch (cause) {
    await renew?.();
    throw imageError(
      `it is a damaged ${header.format.toUpperCase()}, or of a form that is not read`,
      {
        cause,
      },
    );
  }
}

/** What Emscripten would print about damaged pictures. */
const QUIET = { print: () => undefined, printErr: () => undefined };

async function loadJpeg(): Promise<FormatDecoder> {
  const { default: decode, init } = await codec(import("@jsquash/jpeg/decode.js"));
  const module = wasmModule("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
  const renew = async (): Promise<void> => void (await init(module, QUIET));
  await renew();
  return { decode: async (bytes) => pixelsOf(await decode(bytes)), renew };
}

async function loadWebp(): Promise<FormatDecoder> {
  const { default: decode, init } = await codec(import("@jsquash/webp/decode.js"));
  const module = wasmModule("@jsquash/webp/codec/dec/webp_dec.wasm");
  const renew = async (): Promise<void> => void (await init(module, QUIET));
  await renew();
  return { decode: async (bytes) => pixelsOf(await decode(bytes)), renew };
}

async function loadPngDecoder(): Promise<FormatDecoder & { readonly memory: WebAssembly.Memory }> {
  const { default: decode, init } = await codec(import("@jsquash/png/decode.js"));
  const made = await init(wasmModule("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"));
  const { memory } = made as { readonly memory: WebAssembly.Memory }; // the exports of wasm-bindgen
  return { decode: async (bytes) => pixelsOf(await decode(bytes)), memory };
}

async function loadGif(): Promise<FormatDecoder> {
  const { GifReader } = await import("omggif");
  return {
    decode: (bytes, { width, height }) => {
      const reader = new GifReader(Buffer.from(bytes));
      const { x, y, width: ownWidth, height: ownHeight } = reader.frameInfo(0);
      if (x + ownWidth > width || y + ownHeight > height)
        throw new Error("the first frame is larger than the picture");
      const data = new Uint8Array(4 * width * height);
      reader.decodeAndBlitFrameRGBA(0, data);
      return { width, height, data };
    },
  };
}

/** A decoder of jSquash, as this module calls it; its own types are those of browsers. */
interface Codec {
  readonly default: (bytes: Uint8Array) => Promise<unknown>;
  readonly init: (module: WebAssembly.Module, options?: object) => Promise<unknown>;
}

/** They give what browsers call `ImageData`, and look for it in the global scope. */
async function codec(loaded: Promise<unknown>): Promise<Codec> {
  const scope = globalThis as { ImageData?: unknown };
  scope.ImageData ??= class {
    readonly data: Uint8Array;
    readonly width: number;
    readonly height: number;
    constructor(data: Uint8Array, width: number, height: number) {
      [this.data, this.width, this.height] = [data, width, height];
    }
  };
  return (await loaded) as Codec; // see the type
}

function pixelsOf(image: unknown): Pixels {
  const { data, width, height } = image as Pixels; // as ImageData above
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height };
}
