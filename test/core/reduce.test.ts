import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { reduce } from '../../src/core/reduce.ts';
import { type AccountEntry, type Core, removeAccount } from '../../src/core/state.ts';
import { takeStatus } from '../../src/core/status.ts';
import { snapshot } from '../../src/core/views.ts';
import type { Change } from '../../src/link/messages.ts';
import { chatId, contactOf, messageId, messageOf, roomOf, userId } from '../hub/network.ts';
import { testCore } from './archive.ts';

const now = 1_800_000_000_000;
const feed = (core: Core, account: AccountEntry, ...events: readonly AdapterEvent[]): readonly Change[] =>
  events.flatMap((event) => reduce(core, account, event, now));
const roster = (names: readonly string[], rooms: readonly string[] = []): AdapterEvent => ({
  type: 'roster',
  contacts: names.map((name) => contactOf(name)),
  chats: rooms.map(roomOf),
});
const online: AdapterEvent = { type: 'online', self: userId('me@test'), name: 'Ännchen' };
const names = (core: Core, listed = true): readonly string[] =>
  snapshot(core)
    .contacts.filter((contact) => contact.listed === listed)
    .map(({ target }) => target);

describe('the merged list', () => {
  it('holds the contacts of every account, each under its own account and key', async () => {
    const { core, work, home } = await testCore();
    feed(core, work, roster(['Alice']));
    feed(core, home, roster(['Alice']));

    const { contacts } = snapshot(core);
    expect(contacts.map(({ target }) => target)).toEqual(['work:alice@test', 'home:alice@test']);
    expect(new Set(contacts.map(({ conversation }) => conversation)).size).toBe(2);
  });

  it('a second snapshot sends only what differs', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice', 'Bob', 'Carol'], ['#imux']));

    const changes = feed(core, work, {
      type: 'roster',
      contacts: [contactOf('Alice'), { ...contactOf('Bob'), name: 'Robert' }, contactOf('Dora')],
      chats: [roomOf('#imux')],
    });

    expect(changes.map((change) => change.type)).toEqual(['contact', 'contact', 'contact-removed']);
    expect(names(core)).toEqual(['work:alice@test', 'work:bob@test', 'work:#imux', 'work:dora@test']);
  });

  it('a contact that went but wrote before stays as unlisted, under the same key', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice']), { type: 'message', live: true, message: messageOf('alice@test', 'hi') });
    const before = snapshot(core).contacts[0]?.conversation;

    feed(core, work, roster([]));

    expect(snapshot(core).contacts).toMatchObject([{ conversation: before, listed: false, unread: 1 }]);
  });

  it('a message of a stranger makes a row that is not listed', async () => {
    const { core, work } = await testCore();
    const changes = feed(core, work, { type: 'message', live: true, message: messageOf('mallory@test', 'psst') });

    expect(changes.map((change) => change.type)).toEqual(['contact', 'message', 'unread']);
    expect(names(core, false)).toEqual(['work:mallory@test']);
  });

  it('a room is listed while the account is in it', async () => {
    const { core, work } = await testCore();
    feed(core, work, { type: 'chat', chat: roomOf('#new') });
    expect(names(core)).toEqual(['work:#new']);

    feed(core, work, { type: 'message', live: true, message: messageOf('#new', 'x', { from: userId('z') }) });
    feed(core, work, { type: 'chat-left', chat: chatId('#new'), reason: 'kicked' });
    expect(names(core)).toEqual([]);
    expect(names(core, false)).toEqual(['work:#new']);
  });

  it('an account that is removed takes its rows along and no other', async () => {
    const { core, work, home } = await testCore();
    feed(core, work, roster(['Alice']));
    feed(core, home, roster(['Bob']));
    removeAccount(core, 'work');
    expect(names(core)).toEqual(['home:bob@test']);
  });

  it('takes 10,000 contacts, and again, in time that does not matter', async () => {
    const { core, work } = await testCore();
    const many = Array.from({ length: 10_000 }, (_, n) => contactOf(`Contact${n}`, { groups: [`g${n % 20}`] }));
    const began = process.cpuUsage();
    expect(feed(core, work, { type: 'roster', contacts: many, chats: [] })).toHaveLength(10_000);
    expect(feed(core, work, { type: 'roster', contacts: many, chats: [] })).toHaveLength(0);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(1_000);
  });
});

describe('presence', () => {
  const alice = (core: Core) => snapshot(core).contacts.find(({ id }) => id === 'alice@test');
  const here: AdapterEvent = { type: 'presence', user: userId('alice@test'), state: 'away', note: 'tea\u001b[31m' };

  it('follows the user, its text cleaned, and goes out only where it differs', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice']));
    expect(alice(core)?.presence).toBe('offline');

    const [change] = feed(core, work, here);
    expect(change).toMatchObject({ type: 'presence', presence: 'away' });
    expect(alice(core)?.status).not.toContain('\u001b');
    expect(feed(core, work, here)).toEqual([]);
  });

  it('nobody is there while the account is away, and a resumed connection brings them back', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice']), here);

    const lost = new AdapterError('unreachable', 'no route');
    expect(takeStatus(work, { state: 'waiting', until: now, error: lost })).toMatchObject([
      { type: 'account', account: { state: 'waiting', error: { code: 'unreachable' } } },
      { type: 'presence', presence: 'unknown' },
    ]);
    takeStatus(work, { state: 'connecting' });
    takeStatus(work, { state: 'online', self: 'me' });
    expect(alice(core)?.presence).toBe('away');
  });

  it('a new roster forgets who was there in the connection before', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice']), here);
    takeStatus(work, { state: 'connecting' });
    takeStatus(work, { state: 'online', self: 'me' });
    feed(core, work, roster(['Alice']));
    expect(alice(core)?.presence).toBe('offline');
  });

  it('of somebody whose presence the network would not tell, nothing is claimed', async () => {
    const { core, work } = await testCore();
    feed(core, work, { type: 'roster', contacts: [contactOf('Alice', { subscription: 'none' })], chats: [] });
    expect(alice(core)?.presence).toBe('unknown');
  });
});

describe('messages', () => {
  it('every string of the network is cleaned before it is stored or shown', async () => {
    const { core, work } = await testCore();
    const bad = 'x\u001b]0;owned\u0007\u202e';
    const changes = feed(
      core,
      work,
      { type: 'online', self: userId(bad), name: bad },
      {
        type: 'roster',
        contacts: [contactOf('Alice', { name: bad, address: bad, groups: [bad], via: bad })],
        chats: [{ id: chatId('#r'), kind: 'room', address: bad, title: bad, topic: bad }],
      },
      { type: 'presence', user: userId('alice@test'), state: 'online', note: bad },
      { type: 'members', chat: chatId('#r'), members: [{ id: userId('m'), name: bad }] },
      {
        type: 'message',
        live: true,
        message: messageOf('#r', bad, {
          from: userId(bad),
          fromName: bad,
          files: [{ id: 'f' as never, name: bad, mime: bad }],
        }),
      },
      { type: 'request', id: '1', kind: 'subscription', from: bad, text: bad },
      { type: 'notice', text: bad },
      { type: 'chat-left', chat: chatId('#r'), reason: bad },
      { type: 'typing', chat: chatId('alice@test'), user: userId(bad), active: true },
    );
    expect(changes.length).toBeGreaterThan(9);
    expect(JSON.stringify([changes, snapshot(core)])).not.toMatch(/\\u001b|\\u0007|\u202e/);
  });

  it('the same id is one row, live or from an archive', async () => {
    const { core, work } = await testCore();
    const message = messageOf('alice@test', 'once');
    feed(core, work, { type: 'message', live: true, message });
    expect(feed(core, work, { type: 'message', live: false, message })).toEqual([]);
    expect(snapshot(core).contacts[0]?.unread).toBe(1);
  });

  it.each([
    ['hello ännchen!', true],
    ['ÄNNCHEN: look', true],
    ['Ännchens hat', false],
    ['xännchen', false],
    ['nobody', false],
  ])('in a room "%s" mentions us: %s', async (text, mention) => {
    const { core, work } = await testCore();
    feed(core, work, online, roster([], ['#imux']));
    feed(core, work, { type: 'message', live: true, message: messageOf('#imux', text, { from: userId('z') }) });
    expect(snapshot(core).contacts[0]).toMatchObject({ unread: 1, mentions: mention ? 1 : 0 });
  });

  it('own messages from elsewhere count as read', async () => {
    const { core, work } = await testCore();
    feed(core, work, online);
    feed(core, work, { type: 'message', live: true, message: messageOf('alice@test', 'me', { from: 'self' }) });
    feed(core, work, { type: 'message', live: true, message: messageOf('#r', 'me', { from: userId('me@test') }) });
    expect(snapshot(core).contacts.map(({ unread }) => unread)).toEqual([0, 0]);
  });

  it('X16 a stamp that no calendar holds or that lies ahead becomes the time of arrival', async () => {
    const { core, work } = await testCore();
    for (const at of [new Date(Number.NaN), new Date(8.64e15), new Date(-5)]) {
      const changes = feed(core, work, { type: 'message', live: true, message: messageOf('alice@test', 'x', { at }) });
      const message = changes.find((change) => change.type === 'message');
      expect(message?.message.at).toBe(new Date(now).toISOString());
    }
  });

  it('X5 only its author may edit or take back a message', async () => {
    const { core, work } = await testCore();
    const message = messageOf('#r', 'mine', { from: userId('author') });
    feed(core, work, { type: 'message', live: true, message });
    const edit = (by: string): readonly Change[] =>
      feed(core, work, { type: 'edited', chat: message.chat, id: message.id, by: userId(by), text: 'yours' });

    expect(edit('other')).toEqual([]);
    expect(edit('author')).toMatchObject([{ type: 'message-changed', message: { text: 'yours', edited: true } }]);
  });

  it('reading elsewhere takes the count down', async () => {
    const { core, work } = await testCore();
    const message = messageOf('alice@test', 'x');
    feed(core, work, { type: 'message', live: true, message });
    expect(feed(core, work, { type: 'read-elsewhere', chat: message.chat, upTo: message.id })).toMatchObject([
      { type: 'unread', unread: 0 },
    ]);
  });

  it('typing ends with the message that was typed, and is told once', async () => {
    const { core, work } = await testCore();
    feed(core, work, roster(['Alice']));
    const typing: AdapterEvent = {
      type: 'typing',
      chat: chatId('alice@test'),
      user: userId('alice@test'),
      active: true,
    };
    expect(feed(core, work, typing, typing)).toMatchObject([{ type: 'typing', name: 'Alice', active: true }]);
    const changes = feed(core, work, { type: 'message', live: true, message: messageOf('alice@test', 'there') });
    expect(changes.map((change) => change.type)).toEqual(['typing', 'message', 'unread']);
  });

  it('a request told again is not a second one', async () => {
    const { core, work, home } = await testCore();
    const request: AdapterEvent = { type: 'request', id: 'q', kind: 'subscription', from: 'eve@test' };
    expect(feed(core, work, request, request)).toHaveLength(1);
    expect(feed(core, home, request)).toHaveLength(1);
  });

  it('the same events give the same state', async () => {
    const events: AdapterEvent[] = [
      online,
      roster(['Alice', 'Bob'], ['#imux']),
      { type: 'presence', user: userId('bob@test'), state: 'busy' },
      {
        type: 'message',
        live: true,
        message: { ...messageOf('#imux', 'Ännchen?', { from: userId('z') }), id: messageId('fixed') },
      },
    ];
    const [one, two] = [await testCore(), await testCore()];
    expect(feed(one.core, one.work, ...events)).toEqual(feed(two.core, two.work, ...events));
    expect(snapshot(one.core)).toEqual(snapshot(two.core));
  });
});
