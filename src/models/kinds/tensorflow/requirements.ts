/** The release that serves what TensorFlow 1 and 2 wrote; PyPI's own wheel without CUDA. */
export const TENSORFLOW: readonly string[] = ["tensorflow-cpu==2.20.0"];
