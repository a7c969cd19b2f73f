import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects this thread's garbage now, so that what is measured next does not pay for what was before. */
export const collectGarbage = runInNewContext("gc") as () => void;
