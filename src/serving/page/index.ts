export { pageRoutes, type PageOptions } from "./page-routes.ts";
