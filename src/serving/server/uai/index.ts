export { uaiRoutes, type UaiCaller } from "./uai-routes.ts";
