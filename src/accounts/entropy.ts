/** Accounts draw from the program's one source of chance. */
export { type Entropy, systemEntropy } from "../entropy.ts";
