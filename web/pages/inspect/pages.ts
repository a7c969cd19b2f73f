import { Operate } from "../operate/operate.ts";
import { Compare } from "./compare.ts";
import { Inspector } from "./inspector.ts";
import { InspectStart } from "./start.ts";

/** Pages of developers and operators, in the order of the menu. */
export const DEVELOPER_PAGES = [
	{ menu: "Inspect", title: "Inspect", path: "#/inspect", parts: ["inspect"], view: InspectStart },
	{ title: "Inspect a scan", path: "#/inspect", parts: ["inspect", ":id"], view: Inspector },
	{ title: "Compare scans", path: "#/compare", parts: ["compare"], view: Compare },
	{ menu: "Operate", title: "Operate", path: "#/operate", parts: ["operate"], admin: true, view: Operate },
];
