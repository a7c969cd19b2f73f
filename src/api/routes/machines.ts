import { z } from "zod";
import type { Queries } from "../../queries.ts";
import { type RouteSpec, route } from "../route.ts";
import { machineReply, machinesReply } from "../schemas/machines.ts";

/** The state machines as they run, for anybody signed in. */
export const machineRoutes = ({ queries }: { queries: Queries }): RouteSpec[] => [
	route({
		method: "get",
		path: "/machines",
		operation_id: "list_machines",
		summary: "The state machines of this program",
		tag: "diagnostics",
		rate: "other",
		responses: { 200: { description: "Machines with their states and events", schema: machinesReply } },
		handler: async () => ({ status: 200, body: queries.machines.list() }),
	}),
	route({
		method: "get",
		path: "/machines/{machine_id}",
		operation_id: "machine",
		summary: "One machine as a graph, as Mermaid text, and laid out for drawing",
		tag: "diagnostics",
		rate: "other",
		params: z.object({ machine_id: z.string().describe("scan or strategy") }),
		responses: { 200: { description: "Drawn from the definition that runs", schema: machineReply } },
		problems: ["machine_not_found"],
		handler: async ({ params }) => ({ status: 200, body: await queries.machines.one(params.machine_id) }),
	}),
];
