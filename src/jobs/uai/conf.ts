import type { NamedFramework, UaiModel } from "./contracts.ts";

type Json = string | number | boolean | { readonly [key: string]: Json };

/** The configuration as the old tool wrote it: one line, keys in its order, spaces as Python's `json.dumps` sets them, no newline. */
export function printConf(framework: NamedFramework, model: UaiModel): string {
  const exec = { main_file: model.mainModule, main_class: model.mainClass };
  return print({
    http_server: {
      exec,
      [framework === "tf" ? "tensorflow" : framework]: sectionOf(framework, model),
    },
  });
}

function sectionOf(
  framework: NamedFramework,
  { modelDir, modelName, isOneFile, archType, epoch }: UaiModel,
): Json {
  if (framework === "tf") return { model_dir: modelDir };
  if (framework === "keras")
    return {
      model_dir: modelDir,
      model_name: modelName,
      all_one_file: isOneFile,
      model_arch_type: archType,
    };
  if (framework === "mxnet")
    return { model_dir: modelDir, model_name: modelName, num_epoch: epoch };
  if (framework === "xgboost")
    return { model_name: `${modelDir.replace(/\/+$/, "")}/${modelName}` };
  return { model_dir: modelDir, model_name: modelName };
}

function print(value: Json): string {
  if (typeof value === "string")
    return JSON.stringify(value).replaceAll(/[\u007f-\uffff]/g, (char) =>
      char === "\u007f" ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  if (typeof value !== "object") return String(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${print(key)}: ${print(item)}`)
    .join(", ")}}`;
}
