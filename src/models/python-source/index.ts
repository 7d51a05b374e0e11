export { findPythonClasses, type PythonClass } from "./python-classes.ts";
export { findPythonProblems } from "./find-python-problems.ts";
export { sayPythonProblem } from "./python-problem.ts";
export { findImports, type PythonImport } from "./find-imports.ts";
export { isStandardModule } from "./standard-modules.ts";
export { distributionOf } from "./distributions.ts";
export { findOldTensorFlow } from "./tensorflow-one.ts";
export { expandTabs } from "./expand-tabs.ts";
