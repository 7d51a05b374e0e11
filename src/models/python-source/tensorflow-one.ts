import { codeLines } from "./code-lines.ts";

/** A line that only TensorFlow 1 runs. */
export interface OldTensorFlow {
  /** From 1. */
  readonly line: number;
  /** Such as `tf.Session`. */
  readonly name: string;
}

const NAMES =
  "Session InteractiveSession placeholder placeholder_with_default global_variables_initializer local_variables_initializer initialize_all_variables get_variable variable_scope get_variable_scope ConfigProto GPUOptions GraphDef get_default_graph reset_default_graph get_default_session get_collection add_to_collection global_variables trainable_variables import_graph_def app flags gfile logging layers contrib saved_model.loader saved_model.tag_constants saved_model.signature_constants saved_model.builder saved_model.utils train.Saver train.import_meta_graph train.get_or_create_global_step train.AdamOptimizer train.GradientDescentOptimizer train.RMSPropOptimizer train.MomentumOptimizer train.Supervisor train.MonitoredTrainingSession summary.FileWriter summary.merge_all summary.scalar_summary nn.dynamic_rnn nn.rnn_cell nn.max_pool_v1 image.resize_images image.resize_bilinear random_normal random_uniform truncated_normal log div to_float to_int32 to_int64 read_file decode_raw sparse_placeholder set_random_seed get_seed py_func";

const USED = new RegExp(
  String.raw`(?<![\w.])ALIAS\.(${NAMES.split(" ")
    .map((name) => name.replaceAll(".", String.raw`\.`))
    .join("|")})\b`,
);

/** Modules that are there under TensorFlow 1 alone. */
const MODULES =
  /^\s*(?:from|import)\s+(tensorflow\.(?:contrib|examples)[\w.]*|keras\.backend\.tensorflow_backend)\b/;

/**
 * Names of TensorFlow 1 that a source uses through `import tensorflow`; what it takes from `tensorflow.compat.v1` is none, and neither is what
 * stands in texts. Empty for a source that runs on TensorFlow 2 as far as these names tell.
 */
export function findOldTensorFlow(source: string): readonly OldTensorFlow[] {
  const alias = /^\s*import\s+tensorflow(?:\s+as\s+(\w+))?\s*(?:#.*)?$/m.exec(source);
  const isCompat =
    /^\s*import\s+tensorflow\.compat\.v1\b|^\s*from\s+tensorflow\.compat\s+import\s+v1\b/m;
  if (alias === null || isCompat.test(source)) return [];
  const used = new RegExp(USED.source.replace("ALIAS", alias[1] ?? "tensorflow"));
  return codeLines(source).flatMap(({ line, code }) => {
    const [, name] = used.exec(code) ?? [];
    const [, module] = MODULES.exec(code) ?? [];
    if (name !== undefined) return [{ line, name: `${alias[1] ?? "tensorflow"}.${name}` }];
    return module === undefined ? [] : [{ line, name: module }];
  });
}
