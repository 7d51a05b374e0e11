import { InferenceError } from "../../ground/errors/index.ts";
import { isRaw, joinRows, type InferResponse, type NamedTensor } from "../plane/index.ts";

/** One answer as it is; pieces are joined along axis 0 where all have the same tensors. */
export function joinAnswers(answers: readonly InferResponse[], model: string): InferResponse {
  const [first, ...others] = answers;
  if (first === undefined)
    throw new InferenceError("MODEL_FAILED", `call the model "${model}": it gave no output`, {
      model,
    });
  if (others.length === 0) return first;
  const tables = answers.map(({ outputs }) => (isRaw(outputs) ? [] : outputs));
  const columns = tables[0]?.map((head) => {
    const parts = tables.map((table) => table.find((tensor) => isLike(tensor, head)));
    const whole = parts.filter((part) => part !== undefined);
    if (whole.length === answers.length) return joinRows(whole);
    throw new InferenceError(
      "UNSUPPORTED",
      `call the model "${model}": it gave ${answers.length} answers that do not join along axis 0`,
      { model, hint: "ask by a protocol that streams" },
    );
  });
  return { ...first, outputs: columns ?? [] };
}

function isLike(tensor: NamedTensor, head: NamedTensor): boolean {
  return (
    tensor.name === head.name &&
    tensor.datatype === head.datatype &&
    tensor.shape.length === head.shape.length &&
    tensor.shape.length > 0 &&
    tensor.shape.every((axis, at) => at === 0 || axis === head.shape[at])
  );
}
