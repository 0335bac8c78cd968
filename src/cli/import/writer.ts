import type { LinkClient } from '../../link/client.ts';
import type { ImportedChat, ImportedMessage } from '../../link/messages.ts';
import { type Io, usage } from '../verb.ts';
import type { LoggedAccount, LoggedChat } from './log.ts';
import type { Owners } from './owners.ts';
import type { Tally } from './tally.ts';

/** Messages, and characters of text, that go to the hub at a time: it does other things in between. */
const MOST_MESSAGES = 250;
const MOST_TEXT = 250_000;
/** Batches under way: the disk takes several at once. */
const MOST_SENT = 6;

export interface Writer {
  message(chat: LoggedChat, message: Omit<ImportedMessage, 'chat'>, path: string): Promise<void>;
  /** What a conversation is called, told before its messages. */
  chat(chat: LoggedChat, path: string): void;
  account(account: LoggedAccount): Promise<void>;
  /** Resolves when all of it is stored. */
  end(): Promise<void>;
}

/** The hub is the only writer of the archive: what is read goes to it in batches, some under way while the next is filled. */
export function writer(link: LinkClient, io: Io, tally: Tally, accounts: Owners): Writer {
  const named = new Map<string, ImportedChat>();
  let places = new Map<string, number>();
  let chats: ImportedChat[] = [];
  let messages: ImportedMessage[] = [];
  let size = 0;
  const sent: Promise<void>[] = [];

  const keyOf = (account: string, { id, address }: LoggedChat): string => JSON.stringify([account, id ?? address]);
  const store = async (of: readonly ImportedChat[], batch: readonly ImportedMessage[]): Promise<void> => {
    try {
      const { stored, known } = await link.call('archive.import', { chats: of, messages: batch });
      tally.stored += stored;
      tally.known += known;
    } catch (error) {
      if (!isBadData(error)) throw error;
      if (batch.length > 1) return await oneByOne(of, batch);
      tally.odd += 1;
      const at = batch[0] && new Date(batch[0].at).toISOString();
      io.say(`a message of ${at} to ${of[batch[0]?.chat ?? 0]?.address}: refused: ${error.message}`);
    }
  };
  const oneByOne = async (of: readonly ImportedChat[], batch: readonly ImportedMessage[]): Promise<void> => {
    for (const message of batch) {
      const chat = of[message.chat];
      await store(chat ? [chat] : [], [{ ...message, chat: 0 }]);
    }
  };
  const send = async (): Promise<void> => {
    const [of, batch] = [chats, messages];
    [places, chats, messages, size] = [new Map(), [], [], 0];
    if (sent.length >= MOST_SENT) await sent.shift();
    const stored = store(of, batch);
    // Told where it is waited for.
    stored.catch(() => {});
    sent.push(stored);
  };

  return {
    message: async (chat, message, path) => {
      const account = accounts.of(chat.account, path);
      if (path === '-' && chat.address === '-') throw usage('which conversation is this? --chat ADDRESS says so');
      const key = keyOf(account, chat);
      const place = places.get(key) ?? chats.push(named.get(key) ?? { ...chat, account }) - 1;
      places.set(key, place);
      messages.push({ ...message, chat: place });
      size += message.text.length;
      if (messages.length >= MOST_MESSAGES || size >= MOST_TEXT) await send();
    },
    chat: (chat, path) => {
      const account = accounts.of(chat.account, path);
      named.set(keyOf(account, chat), { ...chat, account });
    },
    account: async ({ account, network, settings, secrets }) => {
      if (accounts.given || accounts.has(account)) return;
      try {
        await link.call('accounts.add', { network, name: account, settings, secrets: {}, enabled: false });
        accounts.add(account);
        const then =
          secrets.length > 0 ? `give its ${secrets.join(' and ')} with imux account set ${account}, then ` : '';
        io.say(`${account} was added, switched off: ${then}imux account enable ${account}`);
      } catch (error) {
        tally.odd += 1;
        io.say(`account ${account} was not added: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    end: async () => {
      if (messages.length > 0) await send();
      for (const stored of sent) await stored;
      // Conversations in which nothing was said are there as well.
      const empty = [...named.values()];
      for (let from = 0; from < empty.length; from += MOST_MESSAGES)
        await store(empty.slice(from, from + MOST_MESSAGES), []);
    },
  };
}

const isBadData = (error: unknown): error is Error =>
  error instanceof Error && 'detail' in error && (error.detail as { code?: unknown }).code === 'bad-data';
