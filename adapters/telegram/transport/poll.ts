import type { Host } from '../../contract.ts';
import { AdapterError } from '../../errors.ts';
import type { BotApi } from './client.ts';
import { isConflict } from './faults.ts';
import { list, object, whole } from './json.ts';

/** Seconds the server may hold an empty answer back; with the margin, a dead connection shows within 30 s. */
const HOLD = 25;
const MARGIN_MS = 5_000;
/** A second poller is given about a minute to go away (2 + 4 + 8 + 16 + 30 s). */
const MOST_CONFLICTS = 5;
const OFFSET = 'offset';

/** All kinds that inbound.ts reads; some come only when asked for (https://core.telegram.org/bots/api#getupdates). */
const KINDS = [
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'message_reaction',
  'my_chat_member',
  'chat_member',
  'business_connection',
  'business_message',
  'edited_business_message',
  'deleted_business_messages',
];

/**
 * Asks for updates until the signal aborts. The offset is stored in the same commit as what the updates brought, and
 * only then told to the server, which forgets them: telegraf confirms them even when they could not be handled.
 * `wake.on`, which this sets, asks anew by another connection.
 * @throws AdapterError `unreachable`, `auth`; `refused` where another program keeps polling.
 */
export async function poll(
  api: BotApi,
  host: Host,
  deliver: (update: unknown) => Promise<void>,
  signal: AbortSignal,
  wake: { on?: () => void } = {},
): Promise<void> {
  let offset = whole(Number(host.memory.get(OFFSET) ?? Number.NaN));
  let conflicts = 0;
  let pause = 0;
  while (!signal.aborted) {
    const began = host.clock.now();
    const again = new AbortController();
    wake.on = () => again.abort();
    let updates: readonly unknown[];
    try {
      updates = list(await ask(api, offset, AbortSignal.any([signal, again.signal])));
      conflicts = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (again.signal.aborted) continue;
      if (isConflict(error)) await yieldTo(error, ++conflicts, host, signal);
      else if (error instanceof AdapterError && error.code === 'rate-limited')
        await rest((error.retryAfter ?? 5) * 1000, host, signal);
      else throw error;
      continue;
    }
    const next = await take(updates, offset, deliver);
    if (next !== undefined && next !== offset) {
      host.memory.set(OFFSET, String(next));
      await stored(host, signal);
      if (signal.aborted) return;
      offset = next;
      pause = 0;
    } else if (host.clock.now() - began < 1000) {
      // A server that does not hold the answer back (telegram-test-api), or repeats itself, is not asked without rest.
      pause = Math.min(2_000, Math.max(50, pause * 1.5));
      await rest(pause, host, signal);
    }
  }
}

function ask(api: BotApi, offset: number | undefined, signal: AbortSignal): Promise<unknown> {
  const payload = { timeout: HOLD, limit: 100, allowed_updates: KINDS, ...(offset === undefined ? {} : { offset }) };
  return api.call('getUpdates', payload, { signal, deadline: HOLD * 1000 + MARGIN_MS });
}

/** Hands on what is new and gives the offset after it; undefined where nothing was. */
async function take(
  updates: readonly unknown[],
  offset: number | undefined,
  deliver: (update: unknown) => Promise<void>,
): Promise<number | undefined> {
  const ids = updates.map((update) => whole(object(update)?.update_id));
  // After a week without updates the numbers begin anew anywhere, so that lower ones than ours may be new.
  const anew = offset !== undefined && ids.length > 0 && ids.every((id) => id !== undefined && id < offset - 1000);
  let next: number | undefined;
  for (const [index, update] of updates.entries()) {
    const id = ids[index];
    if (id === undefined || (!anew && id < Math.max(offset ?? id, next ?? id))) continue;
    await deliver(update);
    next = id + 1;
  }
  return next;
}

/** Also returns when the signal aborts: a disk that hangs does not keep a person from signing out. */
async function stored(host: Host, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const leave = (): void => resolve();
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    await Promise.race([host.saved(), aborted]);
  } catch (cause) {
    const text = 'what arrived could not be stored here; Telegram keeps it for up to 24 hours';
    throw new AdapterError('unreachable', text, { cause });
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

async function yieldTo(error: AdapterError, conflicts: number, host: Host, signal: AbortSignal): Promise<void> {
  if (/webhook/i.test(error.message))
    throw new AdapterError('refused', 'a webhook is set for this bot, so another program gets its messages', {
      cause: error.cause,
    });
  if (conflicts > MOST_CONFLICTS)
    throw new AdapterError('refused', 'another program polls this bot: only one may read its messages at a time', {
      cause: error.cause,
    });
  host.log('info', 'another program polls this bot; trying again soon');
  await rest(Math.min(30, 2 ** conflicts) * 1000, host, signal);
}

async function rest(ms: number, host: Host, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
