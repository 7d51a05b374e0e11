import { ToolError } from "../../ground/errors/index.ts";
import { parseYaml } from "../../models/description/index.ts";

/** A piece of a Kubernetes object. */
export type Fragment = Readonly<Record<string, unknown>>;

const MAX_STEPS = 32;
const MAX_INDEX = 255;

/**
 * An object with one more value, such as `spec.template.spec.hostNetwork=true`; `containers[0].env[+]={name: A, value: b}`
 * appends to a list, and an empty value removes the key. A dot inside of a key is written `\.`. The value is YAML.
 * @param assignment - `PATH=VALUE`
 * @returns a new object; the one given is not changed.
 * @throws ToolError `USAGE` naming the part of the path that does not fit the object.
 */
export async function setValue(object: Fragment, assignment: string): Promise<Fragment> {
  const at = assignment.search(/(?<!\\)=/);
  if (at <= 0)
    throw new ToolError("USAGE", `--set "${assignment}": there is no PATH=VALUE`, {
      hint: "write --set spec.template.spec.priority=10",
    });
  const steps = pathSteps(assignment.slice(0, at));
  const value = await valueOf(assignment.slice(at + 1), assignment);
  return setAt(object, steps, { value, path: assignment.slice(0, at) }) as Fragment;
}

async function valueOf(text: string, assignment: string): Promise<unknown> {
  if (text === "") return undefined;
  try {
    return await parseYaml(text);
  } catch (error) {
    throw new ToolError("USAGE", `--set "${assignment}": the value is no YAML`, { cause: error });
  }
}

/** A key, the index of an entry, or the place after the last entry. */
type Step = string | number | typeof APPEND;

const APPEND = Symbol("append");

interface Assignment {
  readonly value: unknown;
  /** As the user wrote it, for messages. */
  readonly path: string;
}

function pathSteps(path: string): readonly Step[] {
  const steps: Step[] = [];
  const pattern = /(?:^|\.)((?:\\.|[^.[\]\\])+)|\[(\d{1,3}|\+)\]/gy;
  while (pattern.lastIndex < path.length) {
    const [, key, index] = pattern.exec(path) ?? [];
    if (key === undefined && index === undefined)
      throw new ToolError("USAGE", `--set "${path}" is no path`, {
        hint: "write it as spec.template.spec.containers[0].image",
      });
    steps.push(key === undefined ? indexStep(index) : key.replaceAll(/\\(.)/g, "$1"));
  }
  if (steps.length > MAX_STEPS)
    throw new ToolError("USAGE", `--set "${path}" has ${steps.length} steps, at most ${MAX_STEPS}`);
  return steps;
}

function indexStep(text: string | undefined): Step {
  return text === "+" ? APPEND : Math.min(Number(text), MAX_INDEX);
}

function setAt(node: unknown, steps: readonly Step[], assignment: Assignment): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return assignment.value;
  if (typeof step === "number" || step === APPEND) return setInList(node, steps, assignment);
  if (node !== undefined && (typeof node !== "object" || node === null || Array.isArray(node)))
    throw new ToolError("USAGE", `--set "${assignment.path}": "${step}" is asked of no object`);
  const fields = new Map(Object.entries(node ?? {}));
  const value = setAt(fields.get(step), rest, assignment);
  if (value === undefined) fields.delete(step);
  else fields.set(step, value);
  return Object.fromEntries(fields);
}

function setInList(
  node: unknown,
  [step, ...rest]: readonly Step[],
  assignment: Assignment,
): unknown {
  if (node !== undefined && !Array.isArray(node))
    throw new ToolError(
      "USAGE",
      `--set "${assignment.path}": there is no list at [${typeof step === "number" ? step : "+"}]`,
    );
  const list: unknown[] = [...((node as readonly unknown[] | undefined) ?? [])];
  const index = typeof step === "number" ? step : list.length;
  if (index > list.length)
    throw new ToolError(
      "USAGE",
      `--set "${assignment.path}": the list has ${list.length} entries, and [${index}] is past its end`,
    );
  const value = setAt(list[index], rest, assignment);
  list.splice(index, 1, ...(value === undefined ? [] : [value]));
  return list;
}
