/** The one place that knows which view library draws the pages. */

export {
	computed,
	effect,
	type ReadonlySignal,
	type Signal,
	signal,
	useComputed,
	useSignal,
	useSignalEffect,
} from "@preact/signals";
export { html, render } from "htm/preact";
export type { ComponentChildren, VNode } from "preact";
export { createContext, Fragment } from "preact";
export { useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
