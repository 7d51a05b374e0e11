import { metadataOf } from "./serving-pod.ts";
import type { RouteOptions, ServingOptions, ServingRequest } from "./serving-options.ts";
import type { Fragment } from "./set-value.ts";

/** Routes of the Gateway API for REST and gRPC: weights for a canary, a mirror for a shadow. None where no gateway is named. */
export function routesOf({ image, options }: ServingRequest): readonly Fragment[] {
  const { route } = options;
  if (route === undefined) return [];
  return [
    routeOf("HTTPRoute", { options, route, port: 80 }),
    ...(image.ports.grpc === undefined
      ? []
      : [routeOf("GRPCRoute", { options, route, port: image.ports.grpc })]),
  ];
}

interface RouteAbout {
  readonly options: ServingOptions;
  readonly route: RouteOptions;
  /** Of the Services. */
  readonly port: number;
}

/** @see Gateway API, gateway.networking.k8s.io/v1 */
function routeOf(kind: "HTTPRoute" | "GRPCRoute", { options, route, port }: RouteAbout): Fragment {
  const { name, canary, shadow } = options;
  const [gateway = "", namespace] = route.gateway.split("/").reverse();
  // A controller may take both kinds for one host only where paths tell them apart; gRPC has a host of its own.
  const hosts = kind === "GRPCRoute" ? route.hosts.map((host) => `grpc.${host}`) : route.hosts;
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: metadataOf(options),
    spec: {
      parentRefs: [{ name: gateway, ...(namespace === undefined ? {} : { namespace }) }],
      ...(hosts.length === 0 ? {} : { hostnames: hosts }),
      rules: [
        {
          backendRefs: [
            { name, port, weight: 100 - (canary?.percent ?? 0) },
            ...(canary === undefined
              ? []
              : [{ name: `${name}-canary`, port, weight: canary.percent }]),
          ],
          ...(shadow === undefined ? {} : { filters: [mirrorOf(`${name}-shadow`, port, shadow)] }),
        },
      ],
    },
  };
}

/** Requests go to the shadow as well; what it answers is dropped. */
function mirrorOf(name: string, port: number, { percent }: { readonly percent: number }): Fragment {
  return {
    type: "RequestMirror",
    requestMirror: { backendRef: { name, port }, ...(percent === 100 ? {} : { percent }) },
  };
}
