/** TensorFlow's DataType by number: name and bytes per element; 0 bytes for elements without a fixed size. @see tensorflow, types.proto */
const TYPES: readonly (readonly [number: number, name: string, bytes: number])[] = [
  [1, "float32", 4],
  [2, "float64", 8],
  [3, "int32", 4],
  [4, "uint8", 1],
  [5, "int16", 2],
  [6, "int8", 1],
  [7, "string", 0],
  [8, "complex64", 8],
  [9, "int64", 8],
  [10, "bool", 1],
  [11, "qint8", 1],
  [12, "quint8", 1],
  [13, "qint32", 4],
  [14, "bfloat16", 2],
  [15, "qint16", 2],
  [16, "quint16", 2],
  [17, "uint16", 2],
  [18, "complex128", 16],
  [19, "float16", 2],
  [20, "resource", 0],
  [21, "variant", 0],
  [22, "uint32", 4],
  [23, "uint64", 8],
  [24, "float8_e5m2", 1],
  [25, "float8_e4m3fn", 1],
  [26, "float8_e4m3fnuz", 1],
  [27, "float8_e4m3b11fnuz", 1],
  [28, "float8_e5m2fnuz", 1],
  [29, "int4", 1],
  [30, "uint4", 1],
  [31, "int2", 1],
  [32, "uint2", 1],
];
const NAMES = new Map(TYPES.map(([number, name]) => [number, name]));
const NUMBERS = new Map(TYPES.map(([number, name]) => [name, number]));
const BYTES = new Map(TYPES.map(([number, , bytes]) => [number, bytes]));

/** Numbers of the types that code here speaks of. */
export const DT = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  resource: 20,
  variant: 21,
} as const;

/** A reference type, such as `float_ref`, has the number of its type plus this. */
const REF = 100;

/** The type below a reference type; others as they are. */
export function baseType(dtype: number): number {
  return dtype > REF ? dtype - REF : dtype;
}

/** Name as TensorFlow's Python has it, such as `float32`; `type 77` for numbers that nobody knows. */
export function dtypeName(dtype: number): string {
  return NAMES.get(baseType(dtype)) ?? `type ${dtype}`;
}

/** Number of a type by its name (`float32`; also `float`, `double`, `half`); `undefined` for others. */
export function dtypeNumber(name: string): number | undefined {
  const lower = name.toLowerCase().replace(/^(?:tf\.|dt_)/, "");
  const short: Readonly<Record<string, string>> = {
    float: "float32",
    double: "float64",
    half: "float16",
  };
  return NUMBERS.get(short[lower] ?? lower);
}

/** Bytes per element; 0 for strings, resources, variants and types that nobody knows. */
export function dtypeBytes(dtype: number): number {
  return BYTES.get(dtype) ?? 0;
}
