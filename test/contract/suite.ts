import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../servers/process.ts';
import type { Driver, Peer, TestAccount } from './driver.ts';
import { begin, nextNonce, type Online, signIn } from './session.ts';
import { texts } from './texts.ts';

/** What every adapter owes, whatever its network. Run it with a driver; a network's own extras have tests of their own. */
export function contractSuite(name: string, driver: Driver): void {
  describe(`contract: ${name}`, () => {
    const open: Online[] = [];
    const peers: Peer[] = [];
    const keep = <T extends Online>(online: T): T => {
      open.push(online);
      return online;
    };
    const newPeer = async (): Promise<Peer> => {
      const peer = await driver.peer();
      peers.push(peer);
      return peer;
    };

    beforeAll(() => driver.start());
    afterAll(() => driver.stop());
    afterEach(async () => {
      await Promise.all(open.splice(0).map((online) => online.stop()));
      await Promise.all(peers.splice(0).map((peer) => peer.close()));
    });

    settingsCases(driver);
    signInCases(driver, keep);
    endCases(driver, keep);
    messageCases(driver, keep, newPeer);
    peopleCases(driver, keep, newPeer);
    if (driver.room) roomCases(driver, driver.room.bind(driver), keep, newPeer);
    if (driver.keeps) missedCases(driver, driver.keeps, keep, newPeer);
    if (driver.outage) outageCases(driver, driver.outage, keep, newPeer);
    hostileCases(driver, keep, newPeer);
  });
}

type Keep = <T extends Online>(online: T) => T;
type NewPeer = () => Promise<Peer>;

function settingsCases(driver: Driver): void {
  it('parses the settings of a person', async () => {
    const account = await driver.account();
    expect(() => driver.adapter.parse(account.settings)).not.toThrow();
  });

  for (const { settings, names } of driver.badSettings) {
    it(`refuses ${JSON.stringify(settings)} and names "${names}"`, () => {
      expect(() => driver.adapter.parse(settings)).toThrow(names);
    });
  }

  it('says what an account needs, what it can and what it cannot do', () => {
    const { about } = driver.adapter;
    expect(about.title).not.toBe('');
    expect(about.addressExample).not.toBe('');
    expect(new Set(about.fields.map((field) => field.key)).size).toBe(about.fields.length);
  });
}

function signInCases(driver: Driver, keep: Keep): void {
  it('signs in and says who it is', async () => {
    const online = keep(await signIn(driver, await driver.account()));
    const { self } = await online.host.next('online');
    expect(self).not.toBe('');
  });

  it('gives the roster once it is online', async () => {
    const online = keep(await signIn(driver, await driver.account()));
    const kinds = online.host.events.map((event) => event.type);
    expect(kinds.indexOf('online')).toBeGreaterThanOrEqual(0);
    expect(kinds.indexOf('roster')).toBeGreaterThan(kinds.indexOf('online'));
  });

  it('refuses calls before it is online as unreachable', async () => {
    const account = await driver.account();
    const { session } = {
      session: driver.adapter.open(driver.adapter.parse(account.settings), begunHost(driver, account)),
    };
    await expect(session.send('x' as never, 'x', nextNonce())).rejects.toMatchObject({ code: 'unreachable' });
  });

  if (driver.wrongSecret) {
    const wrong = driver.wrongSecret.bind(driver);
    it('ends with `auth` on a wrong secret, and tells the secret to nobody', async () => {
      const account = wrong(await driver.account());
      const online = keep(begin(driver, account));
      const error = await online.ended;
      expect(error?.code).toBe('auth');
      const told = [...online.host.logs, String(error?.stack), String(error?.cause)].join('\n');
      for (const secret of Object.values(account.secrets)) expect(told).not.toContain(secret);
      expect(online.host.events.some((event) => event.type === 'online')).toBe(false);
    });
  }

  if (driver.unreachable) {
    const lost = driver.unreachable.bind(driver);
    it('ends with `unreachable` where nobody listens', async () => {
      const online = keep(begin(driver, lost(await driver.account())));
      expect((await online.ended)?.code).toBe('unreachable');
    });
  }

  it('runs two accounts side by side, each with its own messages', async () => {
    const [one, two] = [await driver.account(), await driver.account()];
    const [first, second] = [keep(await signIn(driver, one)), keep(await signIn(driver, two))];
    const peer = await driver.peer();
    await peer.say(one, 'for the first only');
    await peer.say(two, 'for the second only');
    await first.host.next('message', ({ message }) => message.text === 'for the first only');
    await second.host.next('message', ({ message }) => message.text === 'for the second only');
    await peer.close();
    expect(textsOf(first)).not.toContain('for the second only');
    expect(textsOf(second)).not.toContain('for the first only');
  });
}

function begunHost(driver: Driver, account: Awaited<ReturnType<Driver['account']>>): Online['host'] {
  const online = begin(driver, account);
  void online.stop();
  return online.host;
}

/** What others wrote; an echo of the own words may come as well, see "tells of its own message at most once". */
const textsOf = (online: Online): readonly string[] =>
  online.host.events.flatMap((event) =>
    event.type === 'message' && event.message.from !== 'self' ? [event.message.text] : [],
  );

/** Sockets, timers and the like that keep the process alive. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|DNS|GetAddrInfo/.test(kind)).length;

function endCases(driver: Driver, keep: Keep): void {
  it('resolves at once when aborted before it began', async () => {
    const account = await driver.account();
    const online = begin(driver, account);
    await online.stop();
    expect(await online.ended).toBeUndefined();
  });

  for (const stage of [0, 1, 5, 25] as const) {
    it(`leaves nothing behind when aborted ${stage} ms after the start`, async () => {
      const account = await driver.account();
      const before = resources();
      const online = begin(driver, account);
      await new Promise((resolve) => setTimeout(resolve, stage));
      await online.stop();
      expect(await online.ended).toBeUndefined();
      await waitFor(() => resources() <= before, { what: 'sockets and timers to be gone', timeoutMs: 5_000 });
    });
  }

  it('leaves nothing behind when aborted while online, and emits nothing any more', async () => {
    const account = await driver.account();
    const before = resources();
    const online = await signIn(driver, account);
    await online.stop();
    const { length } = online.host.events;
    await waitFor(() => resources() <= before, { what: 'sockets and timers to be gone', timeoutMs: 5_000 });
    expect(online.host.events.length).toBe(length);
  });

  it('refuses calls after the end as unreachable', async () => {
    const online = keep(await signIn(driver, await driver.account()));
    const chat = await online.chatWith((await driver.peer()).address);
    await online.stop();
    await expect(online.session.send(chat, 'too late', nextNonce())).rejects.toMatchObject({ code: 'unreachable' });
  });
}

function messageCases(driver: Driver, keep: Keep, newPeer: NewPeer): void {
  for (const [what, text] of Object.entries(texts)) {
    const arrives = driver.altered?.[what]?.(text) ?? text;
    it(`carries ${what} out and in`, async () => {
      const account = await driver.account();
      const peer = await newPeer();
      const online = keep(await signIn(driver, account));

      await online.send(peer.address, text);
      expect(await peer.heard((heard) => heard.startsWith(arrives.slice(0, 1)) && heard.length >= arrives.length)).toBe(
        arrives,
      );

      await peer.say(account, text);
      const lines = arrives.split('\n');
      await waitFor(
        () =>
          textsOf(online)
            .join('\n')
            .includes(lines.at(-1) ?? ''),
        { what: `"${text}" to arrive` },
      );
      expect(textsOf(online).join('\n')).toBe(arrives);
    });
  }

  it('tells who wrote, in which chat and when, and that it is new', async () => {
    const account = await driver.account();
    const peer = await newPeer();
    const online = keep(await signIn(driver, account));
    const chat = await online.chatWith(peer.address);
    await peer.say(account, 'it is me');
    const { message, live } = await online.host.next('message', (event) => event.message.text === 'it is me');
    expect(live).toBe(true);
    expect(message.chat).toBe(chat);
    expect(message.from).not.toBe('self');
    expect(message.id).not.toBe('');
    expect(Math.abs(message.at.getTime() - Date.now())).toBeLessThan(120_000);
  });

  it('carries a long text whole, and refuses one over the limit without sending any of it', async () => {
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    const chat = await online.chatWith(peer.address);
    const limits = online.session.limits(chat);
    const most = Math.min(20_000, limits.textBytes, limits.textChars ?? Number.POSITIVE_INFINITY);
    const text = `start ${'abcdefghi '.repeat(Math.floor((most - 16) / 10))}end`;
    await online.session.send(chat, text, nextNonce());
    const heard = await peer.heard((part) => part.includes('end'));
    expect(heard.replaceAll('\n', '')).toBe(text);

    const tooLong = 'x'.repeat(Math.min(limits.textChars ?? limits.textBytes, limits.textBytes) + 1);
    await expect(online.session.send(chat, tooLong, nextNonce())).rejects.toMatchObject({
      code: 'too-long',
      certain: true,
    });
    await online.session.send(chat, 'after it', nextNonce());
    await peer.heard((part) => part.endsWith('after it'));
    expect(peer.texts().join('')).not.toContain('xxxxxxxxxx');
  });

  it('keeps the order of 50 messages, out and in', async () => {
    const account = await driver.account();
    const peer = await newPeer();
    const online = keep(await signIn(driver, account));
    const chat = await online.chatWith(peer.address);
    const numbered = Array.from({ length: 50 }, (_, at) => `number ${at}.`);
    const ids = await Promise.all(numbered.map((text) => online.session.send(chat, text, nextNonce())));
    await peer.heard((text) => text.includes('number 49.'));
    expect(
      peer
        .texts()
        .flatMap((text) => text.split('\n'))
        .filter((text) => text.startsWith('number')),
    ).toEqual(numbered);
    expect(new Set(ids).size).toBe(50);

    for (const text of numbered) await peer.say(account, text);
    await online.host.next('message', ({ message }) => message.text === 'number 49.');
    expect(textsOf(online).filter((text) => text.startsWith('number'))).toEqual(numbered);
  });

  it('tells of its own message at most once, and then with its nonce', async () => {
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    const nonce = nextNonce();
    await online.session.send(await online.chatWith(peer.address), 'only once', nonce);
    await peer.heard((text) => text.includes('only once'));
    const echoes = online.host.events.filter((event) => event.type === 'message' && event.message.text === 'only once');
    expect(echoes.length).toBeLessThanOrEqual(1);
    for (const echo of echoes) expect(echo).toMatchObject({ message: { from: 'self', nonce } });
  });

  it('says `not-found` for somebody who is not there', async () => {
    const online = keep(await signIn(driver, await driver.account()));
    await expect(online.send(driver.nobody, 'is anybody there?')).rejects.toMatchObject({
      code: 'not-found',
      certain: true,
    });
  });

  it('gives up a send whose signal aborts', async () => {
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    const chat = await online.chatWith(peer.address);
    const signal = AbortSignal.abort();
    await expect(online.session.send(chat, 'never', nextNonce(), { signal })).rejects.toBeDefined();
    await online.session.send(chat, 'the next one', nextNonce());
    await peer.heard((text) => text.includes('the next one'));
    expect(peer.texts().join('\n')).not.toContain('never');
  });
}

function peopleCases(driver: Driver, keep: Keep, newPeer: NewPeer): void {
  it('resolves an address to the same chat each time', async () => {
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    expect(await online.chatWith(peer.address)).toBe(await online.chatWith(peer.address));
  });

  it('a look at an address gives that chat too, and nobody hears of it', async () => {
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    const heard = online.host.events.length;
    const chat = await online.session.resolve(peer.address, AbortSignal.timeout(10_000), true);
    const told = online.host.events.slice(heard).map(({ type }) => type);
    expect(told.filter((type) => type === 'chat' || type === 'members')).toEqual([]);
    expect(chat.id).toBe(await online.chatWith(peer.address));
  });

  if (driver.befriend) {
    const befriend = driver.befriend.bind(driver);
    it('lists a contact and follows its presence', async () => {
      const account = await driver.account();
      const peer = await newPeer();
      await befriend(account, peer);
      const online = keep(await signIn(driver, account));
      const { contacts } = await online.host.next('roster');
      const contact = contacts.find((one) => one.address === peer.address);
      expect(contact).toBeDefined();
      for (const state of ['online', 'away', 'offline', 'online'] as const) {
        const from = online.host.events.length;
        await peer.present?.(state, 'in the garden');
        await online.host.next(
          'presence',
          (event) => event.user === contact?.id && event.state === state,
          state === 'online' && from < 8 ? 0 : from,
        );
      }
    });
  }
}

function roomCases(driver: Driver, room: () => Promise<string>, keep: Keep, newPeer: NewPeer): void {
  const joined = async (): Promise<{ online: Online; peer: Peer; address: string; chat: never }> => {
    const address = await room();
    const peer = await newPeer();
    const online = keep(await signIn(driver, await driver.account()));
    const chat = await online.session.rooms?.join(address);
    expect(chat?.kind).toBe('room');
    return { online, peer, address, chat: chat?.id as never };
  };

  it('joins a room and hears what is said there', async () => {
    const { online, peer, address, chat } = await joined();
    await peer.sayInRoom(address, 'hello, room');
    const { message } = await online.host.next('message', (event) => event.message.text === 'hello, room');
    expect(message.chat).toBe(chat);
    expect(message.from).not.toBe('self');
  });

  it('speaks in a room, and its own words are not told as somebody else’s', async () => {
    const { online, peer, address, chat } = await joined();
    await peer.sayInRoom(address, 'I am here');
    await online.host.next('message', (event) => event.message.text === 'I am here');
    await online.session.send(chat, 'good evening', nextNonce());
    await peer.heard((text) => text.includes('good evening'), address);
    const others = online.host.events.filter(
      (event) => event.type === 'message' && event.message.text === 'good evening' && event.message.from !== 'self',
    );
    expect(others).toEqual([]);
  });

  it('knows who is in the room', async () => {
    const { online, peer, address, chat } = await joined();
    await peer.sayInRoom(address, 'count me');
    await online.host.next('message', (event) => event.message.text === 'count me');
    const members = await waitFor(async () => {
      const found = (await online.session.rooms?.members(chat)) ?? [];
      return found.length >= 2 && found;
    });
    expect(members.every((member) => member.name !== '')).toBe(true);
  });

  it('leaves a room and hears no more of it', async () => {
    const { online, peer, address, chat } = await joined();
    await online.session.rooms?.leave(chat);
    await online.host.next('chat-left', (event) => event.chat === chat);
    await peer.sayInRoom(address, 'are you gone?');
    await peer.heard((text) => text.includes('are you gone?'), address).catch(() => undefined);
    expect(textsOf(online)).not.toContain('are you gone?');
  });
}

function missedCases(driver: Driver, keeps: NonNullable<Driver['keeps']>, keep: Keep, newPeer: NewPeer): void {
  const back = async (before: Online, account: TestAccount): Promise<Online> => {
    await before.stop();
    return keep(await signIn(driver, account, { memory: before.host.memory.entries }));
  };
  const arrivals = (online: Online): readonly (readonly [string, boolean])[] =>
    online.host.events.flatMap((event) =>
      event.type === 'message' ? [[event.message.text, event.live] as const] : [],
    );

  if (keeps.direct) {
    it('F20 tells once and in order what was said while it was away, and not as new', async () => {
      const account = await driver.account();
      const peer = await newPeer();
      const before = keep(await signIn(driver, account));
      await peer.say(account, 'while you are here');
      await before.host.next('message', ({ message }) => message.text === 'while you are here');
      await before.stop();
      for (const text of ['one', 'two', 'three']) await peer.say(account, text);
      const after = await back(before, account);
      await after.host.next('message', ({ message }) => message.text === 'three');
      await peer.say(account, 'and now');
      await after.host.next('message', ({ message }) => message.text === 'and now');
      expect(arrivals(after)).toEqual([
        ['one', false],
        ['two', false],
        ['three', false],
        ['and now', true],
      ]);
    });
  }

  const { room } = driver;
  if (keeps.rooms && room) {
    it('F20 tells once and in order what was said in a room while it was away, and not as new', async () => {
      const [account, address, peer] = [await driver.account(), await room.call(driver), await newPeer()];
      const before = keep(await signIn(driver, account));
      await before.session.rooms?.join(address);
      await peer.sayInRoom(address, 'while you are here');
      await before.host.next('message', ({ message }) => message.text === 'while you are here');
      await before.stop();
      for (const text of ['one', 'two', 'three']) await peer.sayInRoom(address, text);
      const after = await back(before, account);
      await after.host.next('message', ({ message }) => message.text === 'three');
      await peer.sayInRoom(address, 'and now');
      await after.host.next('message', ({ message }) => message.text === 'and now');
      expect(arrivals(after)).toEqual([
        ['one', false],
        ['two', false],
        ['three', false],
        ['and now', true],
      ]);
    });
  }
}

function outageCases(driver: Driver, outage: NonNullable<Driver['outage']>, keep: Keep, newPeer: NewPeer): void {
  it('ends with `unreachable` when the server goes, and a new session carries on when it is back', async () => {
    const account = await driver.account();
    const memory = new Map<string, string>();
    const before = keep(await signIn(driver, account, { memory }));
    const chat = await before.chatWith((await newPeer()).address);

    await outage.begin();
    expect((await before.ended)?.code).toBe('unreachable');
    await expect(before.session.send(chat, 'into the void', nextNonce())).rejects.toMatchObject({
      code: 'unreachable',
    });
    const during = keep(begin(driver, account, { memory }));
    expect((await during.ended)?.code).toBe('unreachable');

    await outage.end();
    const after = keep(await signIn(driver, account, { memory }));
    const peer = await newPeer();
    await after.send(peer.address, 'here again');
    await peer.heard((text) => text.includes('here again'));
    await peer.say(account, 'welcome back');
    await after.host.next('message', ({ message }) => message.text === 'welcome back');
  });
}

function hostileCases(driver: Driver, keep: Keep, newPeer: NewPeer): void {
  for (const { name, inject } of driver.hostile) {
    it(`hostile input stays within the account: ${name}`, async () => {
      const uncaught: unknown[] = [];
      const note = (error: unknown): void => void uncaught.push(error);
      process.on('uncaughtException', note).on('unhandledRejection', note);
      try {
        const [target, bystander] = [await driver.account(), await driver.account()];
        const victim = keep(await signIn(driver, target));
        const other = keep(await signIn(driver, bystander));
        await inject(target);
        const peer = await newPeer();
        await peer.say(bystander, 'still here');
        await other.host.next('message', ({ message }) => message.text === 'still here');
        const again = await Promise.race([victim.ended, peer.say(target, 'and you?').then(() => 'open' as const)]);
        if (again === 'open')
          await Promise.race([victim.ended, victim.host.next('message', ({ message }) => message.text === 'and you?')]);
        expect(uncaught).toEqual([]);
      } finally {
        process.off('uncaughtException', note).off('unhandledRejection', note);
      }
    });
  }
}
