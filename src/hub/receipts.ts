import type { Row } from '../archive/types.ts';
import { Fault, linkError } from '../core/fault.ts';
import { type Entry, targetOf } from '../core/state.ts';
import type { LinkError, MessageState, Receipt, Wait } from '../link/messages.ts';
import { notNow, whyNever } from './resolving.ts';

/** From worst to best. */
const order: readonly MessageState[] = ['failed', 'unknown', 'queued', 'sent', 'accepted', 'delivered', 'read'];

/** Of several parts, the one that fared worst speaks for all. */
export function receiptOf(entry: Entry, rows: readonly Row[], wait: Wait): Receipt {
  const [first, ...others] = rows;
  if (!first) throw new Fault('bad-data', 'there is nothing to send');
  const rank = (row: Row): number => order.indexOf(row.state ?? 'accepted');
  const worst = others.reduce((low, row) => (rank(row) < rank(low) ? row : low), first);
  const { state, error } = outcome(entry, worst, wait);
  const part = others.length > 0 && error ? `part ${rows.indexOf(worst) + 1} of ${rows.length}: ` : '';
  return {
    target: targetOf(entry),
    account: entry.account.account,
    network: entry.account.network,
    id: String(first.row),
    ...(first.scriptKey === undefined ? {} : { key: first.scriptKey }),
    state,
    ...(error ? { error: { ...error, message: `${part}${error.message}` } } : {}),
    ...(others.length > 0 ? { parts: rows.map((row) => ({ id: String(row.row), ...outcome(entry, row, wait) })) } : {}),
  };
}

/** What is still under way when the time is up is said to be so, never left silent. */
function outcome(entry: Entry, row: Row, wait: Wait): { state: MessageState; error?: LinkError } {
  const state = row.state ?? 'accepted';
  switch (state) {
    case 'failed':
    case 'unknown':
      return { state, ...(row.error ? { error: linkError(row.error) } : {}) };
    case 'queued':
      return wait === 'queued' ? { state } : { state, error: whyNever(entry.account)?.detail ?? whyQueued(entry, row) };
    case 'sent':
      if (wait === 'queued') return { state: 'queued' };
      return {
        state: 'unknown',
        error: { code: 'timeout', message: 'the network has not said yet that it took it', certain: false },
      };
    case 'accepted':
      if (wait !== 'delivered') return { state };
      return { state, error: { code: 'timeout', message: 'not delivered in time', certain: false } };
    case 'delivered':
    case 'read':
      return { state };
  }
}

/** What the network said of this very message counts for more than that the account is there. */
function whyQueued(entry: Entry, { error }: Row): LinkError {
  return entry.account.state === 'online' && error ? linkError(error) : notNow(entry.account).detail;
}
