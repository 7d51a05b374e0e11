export { setValue, type Fragment } from "./set-value.ts";
