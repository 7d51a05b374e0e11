export { createJsComponent, type JsComponentOptions } from "./create-js-component.ts";
