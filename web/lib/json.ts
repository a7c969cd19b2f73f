// biome-ignore lint/suspicious/noExplicitAny: answers are described by the server's schemas; pages read them as data
export type Json = Record<string, any>;
