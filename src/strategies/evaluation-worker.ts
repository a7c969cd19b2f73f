/** Entry of a worker thread: evidence stays warm here between evaluations (evidence/memo.ts). */
export { evaluate as default } from "./evaluate.ts";
