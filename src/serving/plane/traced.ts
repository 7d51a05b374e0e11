import type { InferRequest, InferResponse, Predictor } from "./contracts.ts";
import type { ComponentRequest, ComponentResponse, GraphComponent } from "./graph-component.ts";
import type { SpanContext } from "./trace-context.ts";
import type { Tracer } from "./tracer.ts";
import { wrapped } from "./wrapped.ts";

export interface TraceOptions {
  readonly tracer: Pick<Tracer, "child" | "end">;
  /** Name of the model, for the attribute `slipway.model`. */
  readonly model: string;
  /** Further attributes. Default none. */
  readonly attributes?: () => Readonly<Record<string, string>>;
}

/** Makes a span of each call that belongs to a trace; the call itself, and what user code calls, belongs to that span then. */
export function traced(predictor: Predictor, options: TraceOptions): Predictor {
  const { graph } = predictor;
  return wrapped(predictor, {
    infer: (request) => inferTraced(predictor, request, options),
    ...(predictor.inferStream !== undefined && {
      inferStream: (request: InferRequest) => streamTraced(predictor, request, options),
    }),
    ...(graph !== undefined && { graph: tracedGraph(graph, options) }),
  });
}

function tracedGraph(graph: GraphComponent, options: TraceOptions): GraphComponent {
  return {
    get facts() {
      return graph.facts;
    },
    call: (request, caller) => {
      if (request.trace === undefined) return graph.call(request, caller);
      const call = (trace: SpanContext): Promise<ComponentResponse> =>
        graph.call({ ...request, trace } satisfies ComponentRequest, caller);
      return inSpan(options, { name: `model ${request.method}`, parent: request.trace }, call);
    },
  };
}

function inferTraced(
  predictor: Predictor,
  request: InferRequest,
  options: TraceOptions,
): Promise<InferResponse> {
  if (request.trace === undefined) return predictor.infer(request);
  return inSpan(options, { name: "model infer", parent: request.trace }, (trace) =>
    predictor.infer({ ...request, trace }),
  );
}

async function* streamTraced(
  predictor: Predictor,
  request: InferRequest,
  options: TraceOptions,
): AsyncGenerator<InferResponse, void> {
  const { inferStream } = predictor;
  if (inferStream === undefined) return;
  if (request.trace === undefined) {
    yield* inferStream(request);
    return;
  }
  const span = beginSpan(options, { name: "model infer", parent: request.trace });
  let error: unknown;
  try {
    yield* inferStream({ ...request, trace: span.context });
  } catch (caught) {
    error = caught;
    throw caught;
  } finally {
    span.end(error);
  }
}

interface SpanStart {
  readonly name: string;
  readonly parent: SpanContext;
}

async function inSpan<T>(
  options: TraceOptions,
  start: SpanStart,
  run: (context: SpanContext) => Promise<T>,
): Promise<T> {
  const span = beginSpan(options, start);
  try {
    const result = await run(span.context);
    span.end(undefined);
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

function beginSpan(
  { tracer, model, attributes = () => ({}) }: TraceOptions,
  { name, parent }: SpanStart,
): { readonly context: SpanContext; end(error: unknown): void } {
  const context = tracer.child(parent, model);
  const about = {
    name,
    kind: "internal",
    startedAt: performance.now(),
    attributes: { "slipway.model": model, ...attributes() },
  } as const;
  return {
    context,
    end: (error) =>
      tracer.end(context, {
        ...about,
        ...(error !== undefined && {
          error: error instanceof Error ? error.message : "failed",
        }),
      }),
  };
}
