import type { MessageId } from '../../../adapters/contract.ts';
import type { Row } from '../../archive/types.ts';
import { Fault } from '../../core/fault.ts';
import { markRead, takeHistory } from '../../core/incoming.ts';
import type { Entry } from '../../core/state.ts';
import { messageView } from '../../core/views.ts';
import type { Change, ConversationKey, Handlers, Method } from '../../link/messages.ts';
import { type Accounts, describe, type Running } from '../accounts.ts';
import { saveFile } from '../files.ts';
import type { HubParts } from '../parts.ts';
import type { Resolving } from '../resolving.ts';
import { rowNumber, type Sending } from '../sending.ts';

type Ours = 'send' | 'receipt' | 'search' | 'edit' | 'retract' | 'react' | 'typing' | 'read' | 'history.fill';
type MessageMethods = Pick<
  Handlers,
  Ours | Extract<Method, `messages.${string}` | `files.${string}` | `outbox.${string}`>
>;

/** The most that one answer holds. */
const pageLimit = 1_000;
/** The most that one `history.fill` asks of the network before it says that there is more. */
const mostPages = 20;
const limited = (limit: number): number => Math.min(Math.max(Math.floor(limit), 1), pageLimit);

export function messageMethods(
  parts: HubParts,
  accounts: Accounts,
  resolving: Resolving,
  sending: Sending,
): MessageMethods {
  const { archive, core, outbox, publish } = parts;
  const view = (row: Row) => messageView(core, row);
  /** Where the next older page begins; null: the beginning was reached. */
  const cursors = new Map<ConversationKey, string | null>();

  const place = (message: string): { row: Row; entry: Entry; running: Running; id: MessageId } => {
    const row = archive.row(rowNumber(message));
    if (!row) throw new Fault('not-found', `no message ${message}`);
    const entry = resolving.entry(row.key);
    if (row.id === undefined) throw new Fault('refused', `message ${message} has not reached the network`);
    return { row, entry, running: accounts.of(entry), id: row.id };
  };

  const changed = (row: Row | undefined, what: 'edited' | 'retracted' | 'reactions'): void => {
    if (row) publish([{ type: 'message-changed', message: view(row), what }]);
  };

  const markOnNetwork = async ({ account }: Running, entry: Entry, upTo: number): Promise<void> => {
    const read = archive.row(upTo);
    const rows = [...archive.page(entry.key, 20, upTo), ...(read?.key === entry.key ? [read] : [])];
    const last = rows.findLast(({ id, from }) => id !== undefined && from !== 'self');
    if (!last?.id || !account.facets.has('reading') || account.status.state !== 'online') return;
    await account.facet('reading').mark(entry.chat, last.id);
  };

  return {
    'messages.page': async ({ conversation, before, limit }) => {
      const { key } = resolving.entry(conversation);
      const rows = archive.page(key, limited(limit), before === undefined ? undefined : rowNumber(before));
      const [first] = rows;
      const more = first !== undefined && rows.length === limited(limit);
      return { messages: rows.map(view), ...(more ? { before: String(first.row) } : {}) };
    },
    'messages.since': async ({ after, limit }) => {
      const rows = archive.since(rowNumber(after), limited(limit));
      const last = rows.at(-1);
      return { messages: rows.map(view), ...(last ? { last: String(last.row) } : {}) };
    },
    'history.fill': async ({ conversation }) => {
      const entry = resolving.entry(conversation);
      const history = accounts.of(entry).account.facet('history');
      const cursor = cursors.get(entry.key);
      if (cursor === null) return { stored: 0, more: false };
      let before: string | null | undefined = cursor;
      let stored = 0;
      // What is here already is passed over: the person asked for older messages.
      for (let pages = 0; before !== null && stored === 0 && pages < mostPages; pages++) {
        const page = await history.page(entry.chat, before);
        const changes: Change[] = [];
        stored += takeHistory(core, entry, page.messages, parts.clock.now(), changes);
        await archive.saved(entry.account.account);
        before = page.before ?? null;
        cursors.set(entry.key, before);
        publish(changes);
      }
      return { stored, more: before !== null };
    },
    search: async ({ query, account, limit }) => ({
      messages: archive.search(query, limited(limit), account).map(view),
    }),
    send: sending.send,
    'files.send': sending.sendFile,
    receipt: sending.receipt,
    'outbox.edit': sending.edit,
    'files.save': async ({ message, file, folder }) => {
      const { row, running } = place(message);
      const found = row.files.find(({ id }) => id === file);
      if (!found) throw new Fault('not-found', `message ${message} has no such file`);
      const data = running.account.facet('files').read(found.id);
      return { path: await saveFile(folder, found.name, data) };
    },
    'outbox.list': async () => ({ messages: archive.outbox().map(view) }),
    'outbox.retry': async ({ message }) => {
      outbox.retry(rowNumber(message));
      return {};
    },
    'outbox.discard': async ({ message }) => {
      const row = archive.row(rowNumber(message));
      outbox.discard(rowNumber(message));
      // Its text is gone from the archive; a screen that shows it learns so as of a retraction.
      if (row) changed({ ...row, text: '', retracted: true }, 'retracted');
      return {};
    },
    edit: async ({ message, text }) => {
      const { entry, running, id } = place(message);
      await running.account.facet('edits').edit(entry.chat, id, text);
      changed(archive.edit(entry.key, id, 'self', text), 'edited');
      return {};
    },
    retract: async ({ message }) => {
      const { entry, running, id } = place(message);
      await running.account.facet('retractions').retract(entry.chat, id);
      changed(archive.retract(entry.key, id, 'self'), 'retracted');
      return {};
    },
    react: async ({ message, emoji }) => {
      const { entry, running, id } = place(message);
      await running.account.facet('reactions').set(entry.chat, id, emoji);
      changed(archive.react(entry.key, id, entry.account.name, emoji), 'reactions');
      return {};
    },
    typing: async ({ conversation, active }) => {
      const entry = resolving.entry(conversation);
      await accounts.of(entry).account.facet('typing').set(entry.chat, active);
      return {};
    },
    read: async ({ conversation, upTo }) => {
      const entry = resolving.entry(conversation);
      const changes: Change[] = [];
      markRead(core, entry, rowNumber(upTo), changes);
      publish(changes);
      // What is read here is read, whether or not the network can be told so just now.
      if (changes.length > 0) {
        markOnNetwork(accounts.of(entry), entry, rowNumber(upTo)).catch((error: unknown) =>
          parts.log.write('info', entry.account.account, `not told as read: ${describe(error)}`),
        );
      }
      return {};
    },
  };
}
