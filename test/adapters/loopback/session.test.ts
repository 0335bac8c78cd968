import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatId, FileId, MessageId, Nonce, Session, UserId } from '../../../adapters/contract.ts';
import { loopback } from '../../../adapters/loopback/index.ts';
import { type World, worldOf } from '../../../adapters/loopback/world.ts';
import { type TestHost, testHost } from '../../contract/host.ts';
import { fakeClock } from '../telegram/clock.ts';

let seed = 5000;
let host: TestHost;
let session: Session;
let world: World;
let end: () => Promise<void>;
const echo = 'echo' as ChatId;
const nonce = 'n1' as Nonce;

beforeEach(async () => {
  seed++;
  world = worldOf(String(seed));
  host = testHost();
  session = loopback.open(loopback.parse({ seed: String(seed) }), host);
  const stopper = new AbortController();
  const ended = session.run(stopper.signal);
  end = async () => {
    stopper.abort();
    await ended;
  };
  await host.next('roster');
});
afterEach(() => end());

describe('loopback', () => {
  it('the same seed gives the same people, another gives others', async () => {
    const { contacts, chats } = await host.next('roster');
    expect(contacts.map(({ address }) => address)).toContain('echo');
    expect(contacts.length).toBe(5);
    expect(chats.map(({ address }) => address)).toEqual(['#lobby']);
    const names = (of: string): string => [...worldOf(of).people.keys()].join();
    expect(new Set([names('1'), names('2'), names('3')]).size).toBe(3);
  });

  it('echo reads, types and answers with the same text', async () => {
    const id = await session.send(echo, 'hello, nobody', nonce);
    expect(await host.next('receipt')).toMatchObject({ chat: echo, upTo: id, state: 'read' });
    expect(await host.next('typing')).toMatchObject({ user: 'echo', active: true });
    expect((await host.next('message')).message).toMatchObject({ from: 'echo', text: 'hello, nobody' });
    expect(await host.next('typing', ({ active }) => !active)).toMatchObject({ user: 'echo' });
  });

  it('an answer that is due after the end does not come', async () => {
    const clock = fakeClock();
    const still = testHost({ clock });
    const other = loopback.open(loopback.parse({ seed: '4999' }), still);
    const stopper = new AbortController();
    const ended = other.run(stopper.signal);
    await other.send(echo, 'too late', nonce);
    expect(clock.asleep.length).toBe(1);
    const { length } = still.events;
    stopper.abort();
    await ended;
    expect(clock.asleep).toEqual([]);
    clock.advance(60_000);
    expect(still.events.length).toBe(length);
  });

  it('edits, reactions and retractions go both ways; nobody changes what another wrote', async () => {
    const mine = await session.send(echo, 'mine', nonce);
    const theirs = world.say('echo', 'theirs').id as MessageId;
    await session.edits?.edit(echo, mine, 'mine, mended');
    expect(world.letters.find(({ id }) => id === mine)?.text).toBe('mine, mended');
    await expect(session.edits?.edit(echo, theirs, 'x')).rejects.toMatchObject({ code: 'refused' });
    await expect(session.retractions?.retract(echo, 'none' as MessageId)).rejects.toMatchObject({ code: 'not-found' });
    await session.reactions?.set(echo, theirs, ['👍']);

    world.change(theirs, 'echo', { kind: 'edit', text: 'theirs, mended' });
    world.change(mine, 'echo', { kind: 'react', emoji: ['❤'] });
    world.change(theirs, 'echo', { kind: 'erase' });
    expect(await host.next('edited')).toMatchObject({ id: theirs, by: 'echo', text: 'theirs, mended' });
    expect(await host.next('reactions')).toMatchObject({ id: mine, by: 'echo', emoji: ['❤'] });
    expect(await host.next('retracted')).toMatchObject({ id: theirs, by: 'echo' });
    await session.retractions?.retract(echo, mine);
    expect(await session.lookup?.find(echo, nonce)).toBeUndefined();
  });

  it('an uncertain send can be looked up by its nonce', async () => {
    const id = await session.send(echo, 'did it go?', nonce);
    expect(await session.lookup?.find(echo, nonce)).toBe(id);
    expect(await session.lookup?.find(echo, 'other' as Nonce)).toBeUndefined();
  });

  it('contacts are added, renamed, grouped, blocked, removed and asked for', async () => {
    world.person('zoe', { shown: 'Zoe' });
    world.knock('zoe', 'may I?');
    const request = await host.next('request');
    expect(request).toMatchObject({ kind: 'subscription', from: 'zoe', text: 'may I?' });
    await session.contacts?.answer(request.id, true);
    await host.next('contact', ({ contact }) => contact.address === 'zoe');
    await session.contacts?.rename('zoe' as UserId, 'Zoë');
    await session.contacts?.group('zoe' as UserId, ['Friends']);
    await host.next('contact', ({ contact }) => contact.name === 'Zoë' && contact.groups.includes('Friends'));
    await session.contacts?.block('zoe' as UserId, true);
    await expect(session.send('zoe' as ChatId, 'x', nonce)).rejects.toMatchObject({ code: 'refused' });
    await session.contacts?.remove('zoe' as UserId);
    await host.next('contact-removed', ({ user }) => user === 'zoe');
    await expect(session.contacts?.add('nobody')).rejects.toMatchObject({ code: 'not-found' });
    expect((await session.people?.search('ZO'))?.map(({ address }) => address)).toEqual(['zoe']);
    expect(await session.profiles?.read('zoe' as UserId)).toMatchObject({ name: 'Zoë' });
  });

  it('others see our presence, our typing and what we have read', async () => {
    const { id } = world.say('echo', 'look at me');
    await session.presence?.set('away', 'at tea');
    await session.typing?.set(echo, true);
    await session.reading?.mark(echo, id as MessageId);
    expect(world.seen).toEqual({ state: 'away', note: 'at tea', typing: 'echo', read: new Map([['echo', id]]) });
    await session.typing?.set(echo, false);
    expect(world.seen.typing).toBeUndefined();
  });

  it('rooms have topics and guests', async () => {
    const room = await session.rooms?.join('#tea');
    const chat = room?.id ?? echo;
    await session.rooms?.topic(chat, 'no room!');
    await host.next('chat', (event) => event.chat.topic === 'no room!');
    await session.rooms?.invite(chat, 'echo' as UserId);
    await host.next('member', ({ member }) => member.id === 'echo');
    expect((await session.rooms?.members(chat))?.map(({ id }) => id).sort()).toEqual(['echo', 'me']);
    await expect(session.rooms?.join('tea')).rejects.toMatchObject({ code: 'refused' });
    await expect(session.rooms?.leave('#none' as ChatId)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('history comes in pages, oldest first, without gap or overlap', async () => {
    for (let at = 0; at < 120; at++) world.say('echo', `line ${at}`);
    const read: string[] = [];
    let before: string | undefined;
    do {
      const page = await session.history?.page(echo, before);
      read.unshift(...(page?.messages.map(({ text }) => text) ?? []));
      before = page?.before;
    } while (before !== undefined);
    expect(read).toEqual(Array.from({ length: 120 }, (_, at) => `line ${at}`));
  });

  it('files come back as they went', async () => {
    const bytes = Buffer.from('a picture of a hat');
    const upload = {
      name: 'hat.txt',
      mime: 'text/plain',
      bytes: bytes.length,
      async *data() {
        yield bytes;
      },
    };
    const id = await session.files?.send(echo, upload, nonce);
    const got: Uint8Array[] = [];
    for await (const part of session.files?.read(id as unknown as FileId) ?? []) got.push(part);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    const [page] = (await session.history?.page(echo))?.messages ?? [];
    expect(page?.files).toEqual([{ id, name: 'hat.txt', mime: 'text/plain', bytes: bytes.length }]);
    await expect(session.files?.send(echo, { ...upload, bytes: 1e9 }, nonce)).rejects.toMatchObject({
      code: 'too-long',
    });
  });

  it('every facet of the contract is here', () => {
    const facets = [
      'contacts',
      'presence',
      'rooms',
      'typing',
      'reading',
      'history',
      'edits',
      'retractions',
      'reactions',
      'files',
      'profiles',
      'people',
      'lookup',
    ];
    expect(facets.filter((facet) => !(facet in session))).toEqual([]);
  });
});
