import type { Surroundings } from "../session.ts";

/** A request of the old tools' flags, as far as conversion goes. */
interface ConvertibleRequest {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly isConverted?: boolean | undefined;
}

/** The request for a converted copy of the folder that a flag names, where that is wanted; else the request as it is. */
export async function inPythonThree<Request extends ConvertibleRequest>(
  request: Request,
  folderFlag: string,
  session: Surroundings,
): Promise<Request> {
  const folder = request.values[folderFlag] ?? "";
  if (request.isConverted !== true || folder === "") return request;
  const { convertPythonTwo } = await import("./convert-python-two.ts");
  const copy = await convertPythonTwo(folder, session);
  return { ...request, values: { ...request.values, [folderFlag]: copy } };
}
