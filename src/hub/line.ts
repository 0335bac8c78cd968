import type { Account } from '../../accounts/account.ts';
import type { Line } from '../core/outbox.ts';
import type { AccountEntry } from '../core/state.ts';
import { uploadOf } from './files.ts';

/** An account as the outbox sees it. */
export function lineOf(account: Account, entry: AccountEntry): Line {
  return {
    online: () => account.status.state === 'online',
    epoch: () => entry.epoch,
    async send(chat, { text, nonce, replyTo, path }, signal) {
      const options = { signal, ...(replyTo === undefined ? {} : { replyTo }) };
      if (path === undefined) return await account.send(chat, text, nonce, options);
      return await account.facet('files').send(chat, uploadOf(path), nonce, options);
    },
    ...(account.facets.has('lookup')
      ? { lookup: async (chat, nonce) => await account.facet('lookup').find(chat, nonce) }
      : {}),
  };
}
