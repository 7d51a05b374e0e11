/** A method of user code, bound to its object. */
export type Method = (...args: readonly unknown[]) => unknown;

/** Names of the contract as Python has them; in JavaScript each may also be written in camel case. */
const NAMES = [
  "predict",
  "transform_input",
  "transform_output",
  "route",
  "aggregate",
  "send_feedback",
  "health_status",
  "init_metadata",
  "tags",
  "metrics",
  "class_names",
  "load",
  "init",
  "score",
  "predict_raw",
  "transform_input_raw",
  "transform_output_raw",
  "route_raw",
  "aggregate_raw",
  "send_feedback_raw",
  "health_status_raw",
  "predict_rest",
  "transform_input_rest",
  "transform_output_rest",
  "route_rest",
  "aggregate_rest",
  "send_feedback_rest",
] as const;

export type MemberName = (typeof NAMES)[number];

/** What a user object has of the contract. */
export interface Members {
  readonly names: readonly MemberName[];
  /** Undefined when the object has no such method. */
  method(name: MemberName): Method | undefined;
  /** The value of a member that may be plain data, such as `class_names`. */
  value(name: MemberName): unknown;
}

export function membersOf(user: object): Members {
  const keyOf = (name: MemberName): string | undefined =>
    [name, camel(name)].find((key) => key in user);
  const value = (name: MemberName): unknown => {
    const key = keyOf(name);
    return key === undefined ? undefined : (user as Readonly<Record<string, unknown>>)[key];
  };
  const method = (name: MemberName): Method | undefined => {
    const found = value(name);
    return typeof found === "function" ? (found.bind(user) as Method) : undefined;
  };
  return { names: NAMES.filter((name) => value(name) !== undefined), method, value };
}

function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Finds the class, or the object, that a module offers under a name.
 * @throws Error naming what the module has instead
 */
export function exportOf(module: Readonly<Record<string, unknown>>, name: string): unknown {
  const whole = module["default"];
  const inside =
    typeof whole === "object" && whole !== null
      ? (whole as Readonly<Record<string, unknown>>)[name]
      : undefined; // CommonJS: module.exports = { Name }
  const found =
    module[name] ??
    inside ??
    (name === "default" ||
    nameOf(whole) === name ||
    Object.keys(module).every((key) => key === "default" || key === "module.exports")
      ? whole
      : undefined);
  if (found === undefined || found === null)
    throw new Error(
      `there is no export "${name}"; it has ${Object.keys(module).join(", ") || "none"}`,
    );
  return found;
}

function nameOf(value: unknown): string | undefined {
  return typeof value === "function" ? value.name : undefined;
}
