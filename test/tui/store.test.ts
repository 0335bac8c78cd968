import { describe, expect, it } from 'vitest';
import type { Change, ContactView, Snapshot } from '../../src/link/messages.ts';
import { lengthOf, lineOf, linesOf, neighbour, spotAt } from '../../src/tui/list.ts';
import { apply, newStore, openConversation, reset, type Store, setFocus } from '../../src/tui/store.ts';
import { account, contact, wonderland } from './fake-hub.ts';

function storeOf(snapshot: Snapshot = wonderland()): Store {
  const store = newStore();
  reset(store, snapshot);
  return store;
}

function drawn(store: Store): string[] {
  return linesOf(store.list, 0, 100).map((line) => {
    if (line.type === 'blank') return '';
    return line.type === 'title' ? `[${line.title}]` : `${line.row.contact.name} ${line.row.contact.account}`;
  });
}

const change = (store: Store, ...changes: Change[]): void => {
  for (const one of changes) apply(store, one, 0);
};

function of(store: Store, target: string): ContactView {
  const row = [...store.rows.values()].find((one) => one.contact.target === target);
  if (!row) throw new Error(target);
  return row.contact;
}

const unread = (store: Store, target: string, count: number, mentions = 0): Change => ({
  type: 'unread',
  conversation: of(store, target).conversation,
  unread: count,
  mentions,
});

describe('the merged list', () => {
  it('has the unread first, then groups, then each account with its rooms before its people', () => {
    expect(drawn(storeOf())).toEqual([
      '[Unread]',
      'Alice Liddell work',
      '#imux libera',
      '',
      '[Friends]',
      'Alice Liddell work',
      'Bob work',
      'Carol work',
      '',
      '[libera]',
      '#imux libera',
      'dormouse libera',
      '',
      '[tg]',
      'Tea party tg',
      'Bob tg',
    ]);
  });

  it('moves only the row that changed: presence, name, groups, removal', () => {
    const store = storeOf();
    const carol = of(store, 'work:carol@gg');
    change(store, { type: 'presence', conversation: carol.conversation, presence: 'online' });
    change(store, { type: 'contact', contact: { ...carol, presence: 'online', name: 'Aaron' } });
    expect(drawn(store).slice(4, 8)).toEqual(['[Friends]', 'Aaron work', 'Alice Liddell work', 'Bob work']);
    change(store, { type: 'contact', contact: { ...carol, groups: ['Work'] } });
    expect(drawn(store)).toContain('[Work]');
    change(store, { type: 'contact-removed', conversation: carol.conversation });
    expect(drawn(store)).not.toContain('[Work]');
  });

  it('does not jump when more arrives in what is unread already', () => {
    const store = storeOf();
    const before = drawn(store);
    change(store, unread(store, 'libera:#imux', 5, 2));
    expect(drawn(store)).toEqual(before);
    expect([store.unread, store.mentions]).toEqual([7, 2]);
  });

  it('keeps the open conversation among the unread until it is left', () => {
    const store = storeOf();
    setFocus(store, of(store, 'work:alice@example.org').conversation);
    change(store, unread(store, 'work:alice@example.org', 0));
    expect(drawn(store)[1]).toBe('Alice Liddell work');
    setFocus(store, of(store, 'work:bob@example.org').conversation);
    expect(drawn(store)[1]).toBe('#imux libera');
  });

  it('is the same whether filled at once or grown by changes in any order', () => {
    const whole = storeOf();
    const grown = storeOf({
      accounts: whole.accounts.size ? [...whole.accounts.values()] : [],
      contacts: [],
      requests: [],
      prompts: [],
    });
    for (const one of [...wonderland().contacts].reverse())
      change(grown, { type: 'contact', contact: { ...one, unread: 0, mentions: 0 } });
    change(grown, unread(grown, 'libera:#imux', 1, 1), unread(grown, 'work:alice@example.org', 2));
    expect(drawn(grown)).toEqual(drawn(whole));
  });

  it('walks to the neighbour over the borders of sections, and by number', () => {
    const { list } = storeOf();
    const first = spotAt(list, 0);
    expect(first?.row.contact.name).toBe('Alice Liddell');
    const second = neighbour(list, first, 1);
    const third = neighbour(list, second, 1);
    expect([second, third].map((spot) => spot?.section[0])).toEqual(['0', '1']);
    expect(neighbour(list, third, -1)).toEqual(second);
    expect(neighbour(list, spotAt(list, 8), 1)).toBeUndefined();
  });

  it('says on which line a row is, and makes only the lines in view', () => {
    const { list } = storeOf();
    const spot = spotAt(list, 5);
    const line = spot && lineOf(list, spot);
    expect(line).toBe(10);
    expect(linesOf(list, line ?? 0, 1)[0]).toMatchObject({ type: 'row', row: spot?.row });
    expect(lengthOf(list)).toBe(16);
  });

  it('lets an account go with everything of it', () => {
    const store = storeOf();
    change(store, { type: 'account-removed', account: 'work' });
    expect(drawn(store).some((line) => line.includes('work'))).toBe(false);
    expect(store.unread).toBe(1);
  });

  it('costs the same for a change with 10,000 contacts as with 10', () => {
    const costOf = (size: number): number => {
      const one = account('work', 'xmpp');
      const contacts = Array.from({ length: size }, (_, i) => contact(one, `c${i}@x`, `Contact ${i}`));
      const store = storeOf({ accounts: [one], contacts, requests: [], prompts: [] });
      const keys = contacts.map((each) => each.conversation);
      const run = (rounds: number): number => {
        const start = process.cpuUsage();
        for (let i = 0; i < rounds; i++) {
          const conversation = keys[(i * 7919) % size] ?? keys[0];
          if (!conversation) continue;
          apply(store, { type: 'presence', conversation, presence: i % 3 === 0 ? 'online' : 'away' }, 0);
          apply(store, { type: 'unread', conversation, unread: i % 2, mentions: 0 }, 0);
          linesOf(store.list, 0, 40);
        }
        const used = process.cpuUsage(start);
        return (used.user + used.system) / rounds;
      };
      run(500);
      return run(2_000);
    };
    expect(costOf(10_000)).toBeLessThan(costOf(10) * 10 + 100);
  });
});

describe('conversations in the store', () => {
  it('keep no message of what was never opened, and the last pages of what was', () => {
    const store = storeOf();
    const alice = of(store, 'work:alice@example.org');
    const message = (id: number): Change => ({
      type: 'message',
      live: true,
      message: {
        id: String(id),
        conversation: alice.conversation,
        account: 'work',
        network: 'xmpp',
        target: alice.target,
        kind: 'person',
        from: { id: 'a', name: 'Alice', self: false },
        at: new Date(id * 1000).toISOString(),
        text: `${id}`,
      },
    });
    change(store, message(1));
    expect(store.open.size).toBe(0);
    const conversation = openConversation(store, alice.conversation);
    conversation.state = 'loaded';
    for (let i = 2; i < 2_000; i++) change(store, message(i));
    expect(conversation.messages.length).toBeLessThanOrEqual(600);
    expect(conversation.messages.at(-1)?.text).toBe('1999');
    expect(conversation.before).toBe(conversation.messages[0]?.id);
  });
});
