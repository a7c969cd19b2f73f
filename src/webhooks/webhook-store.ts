import type { Redis } from "ioredis";
import { runScript, script, urgent } from "../store/script-runner.ts";
import { saveRecord } from "../store/user-records.ts";
import type { Delivery, DeliveryRef, KeepAnswer, StoredWebhook, WebhookStore } from "./contract.ts";
import {
	bodiesKey,
	DELIVERIES_GLOB,
	deliveriesDueKey,
	deliveriesKey,
	deliveryWalkKey,
	ownerOfDeliveriesKey,
	webhooksKey,
} from "./keys.ts";

/** Deliveries kept per webhook by count, of those that wait and of those that have ended each, and by age. */
export const DELIVERIES_KEPT = 100;
export const DELIVERY_KEPT_MS = 7 * 86_400_000;

/** KEYS 1 account, 2 webhooks. ARGV and answer as saveRecord. */
const SAVE = script(2, saveRecord());

/** KEYS 1 webhooks, 2 deliveries, 3 bodies. ARGV 1 webhook id -> 1 removed, 0 there was none */
const REMOVE = script(
	3,
	`
redis.call('DEL', KEYS[2], KEYS[3])
return redis.call('HDEL', KEYS[1], ARGV[1])
`,
);

/**
 * KEYS  1 webhooks, 2 deliveries, 3 bodies
 * ARGV  1 webhook id, 2 delivery id, 3 delivery (JSON), 4 body, 5 most kept, 6 ms kept, 7 created up to here: goes
 * -> {'kept', ids of pending ones beyond the bound, oldest first}, {'known'}, {'gone'}. Of those that have ended the
 * oldest go beyond the bound, the delivered before the dead.
 * Part of the end of a scan, which a full server must not hold up.
 */
const KEEP = urgent(
	3,
	`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return {'gone'} end
if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then return {'known'} end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
local most = tonumber(ARGV[5])
local held = redis.call('HGETALL', KEYS[2])
local lists = {pending = {}, delivered = {}, dead = {}}
local function drop(id)
	redis.call('HDEL', KEYS[2], id)
	redis.call('HDEL', KEYS[3], id)
end
for i = 1, #held, 2 do
	local one = cjson.decode(held[i + 1])
	if held[i] ~= ARGV[2] and one.created_at_ms <= tonumber(ARGV[7]) then drop(held[i])
	elseif held[i] ~= ARGV[2] then table.insert(lists[one.status], {id = held[i], at = one.created_at_ms}) end
end
for _, list in pairs(lists) do table.sort(list, function(a, b) return a.at < b.at end) end
local ended = #lists.delivered + #lists.dead
for _, status in ipairs({'delivered', 'dead'}) do
	for _, one in ipairs(lists[status]) do
		if ended > most then drop(one.id); ended = ended - 1 end
	end
end
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[6])
local answer = {'kept'}
for i = 1, #lists.pending + 1 - most do answer[#answer + 1] = lists.pending[i].id end
return answer
`,
);

/** KEYS 1 deliveries. ARGV 1 delivery id, 2 before (JSON), 3 after -> 1 replaced (also when it was before), 0 */
const REPLACE = urgent(
	1,
	`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held == ARGV[3] then return 1 end
if held ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
`,
);

/** KEYS 1 index. ARGV 1 moment, 2 member */
const INDEX = urgent(1, `return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])`);

const memberOf = ({ user_id, webhook_id, delivery_id }: DeliveryRef): string =>
	`${user_id} ${webhook_id} ${delivery_id}`;
function refOf(member: string): DeliveryRef {
	const [user_id = "", webhook_id = "", delivery_id = ""] = member.split(" ");
	return { user_id, webhook_id, delivery_id };
}

export function createWebhookStore(
	redis: Redis,
	now: () => number,
	accountKey: (userId: string) => string,
): WebhookStore {
	const deliveryKeys = ({ user_id, webhook_id }: DeliveryRef): string[] => [
		deliveriesKey(user_id, webhook_id),
		bodiesKey(user_id, webhook_id),
	];
	return {
		async list(userId) {
			return Object.values(await redis.hgetall(webhooksKey(userId)))
				.map((text) => JSON.parse(text) as StoredWebhook)
				.sort((a, b) => a.created_at_ms - b.created_at_ms || (a.webhook_id < b.webhook_id ? -1 : 1));
		},
		async read(userId, webhookId) {
			const text = await redis.hget(webhooksKey(userId), webhookId);
			return text === null ? null : (JSON.parse(text) as StoredWebhook);
		},
		async save(userId, webhook, before, limit) {
			const args = [webhook.webhook_id, JSON.stringify(webhook), before ? JSON.stringify(before) : "", limit];
			const answer = await runScript(redis, SAVE, [accountKey(userId), webhooksKey(userId), ...args]);
			return answer as Awaited<ReturnType<WebhookStore["save"]>>;
		},
		async remove(userId, webhookId) {
			const keys = [webhooksKey(userId), deliveriesKey(userId, webhookId), bodiesKey(userId, webhookId)];
			return (await runScript(redis, REMOVE, [...keys, webhookId])) === 1;
		},
		async keep(ref, delivery, body) {
			const bounds = [DELIVERIES_KEPT, DELIVERY_KEPT_MS, now() - DELIVERY_KEPT_MS];
			const args = [ref.webhook_id, ref.delivery_id, JSON.stringify(delivery), body, ...bounds];
			const keys = [webhooksKey(ref.user_id), ...deliveryKeys(ref)];
			const [kind, ...crowded] = (await runScript(redis, KEEP, [...keys, ...args])) as [
				KeepAnswer["kind"],
				...string[],
			];
			return { kind, crowded: crowded.map((delivery_id) => ({ ...ref, delivery_id })) };
		},
		async deliveries(userId, webhookId) {
			return Object.values(await redis.hgetall(deliveriesKey(userId, webhookId)))
				.map((text) => JSON.parse(text) as Delivery)
				.filter(({ created_at_ms }) => created_at_ms > now() - DELIVERY_KEPT_MS)
				.sort((a, b) => b.created_at_ms - a.created_at_ms || (a.delivery_id < b.delivery_id ? -1 : 1));
		},
		async delivery(ref) {
			const [deliveries = "", bodies = ""] = deliveryKeys(ref);
			const [text, body] = await Promise.all([
				redis.hget(deliveries, ref.delivery_id),
				redis.hget(bodies, ref.delivery_id),
			]);
			return text === null || body === null ? null : { delivery: JSON.parse(text) as Delivery, body };
		},
		async replace(ref, before, after) {
			const args = [ref.delivery_id, JSON.stringify(before), JSON.stringify(after)];
			return (await runScript(redis, REPLACE, [deliveriesKey(ref.user_id, ref.webhook_id), ...args])) === 1;
		},
		async index(ref, atMs) {
			if (atMs === null) await redis.zrem(deliveriesDueKey, memberOf(ref));
			else await runScript(redis, INDEX, [deliveriesDueKey, atMs, memberOf(ref)]);
		},
		async overdue(atMs, limit) {
			return (await redis.zrangebyscore(deliveriesDueKey, "-inf", atMs, "LIMIT", 0, limit)).map(refOf);
		},
		async walk(keys) {
			const from = (await redis.get(deliveryWalkKey)) ?? "0";
			const [cursor, found] = await redis.scan(from, "MATCH", DELIVERIES_GLOB, "COUNT", keys);
			await redis.set(deliveryWalkKey, cursor);
			const lost: { ref: DeliveryRef; delivery: Delivery }[] = [];
			for (const owner of found.map(ownerOfDeliveriesKey)) {
				const pending = (await this.deliveries(owner.user_id, owner.webhook_id)).filter(
					({ status }) => status === "pending",
				);
				for (const delivery of pending) {
					const ref = { ...owner, delivery_id: delivery.delivery_id };
					if ((await redis.zscore(deliveriesDueKey, memberOf(ref))) === null) lost.push({ ref, delivery });
				}
			}
			return lost;
		},
	};
}
