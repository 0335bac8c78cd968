import { startBotApi } from './bot-api.ts';
import { startIrcServer } from './irc-server.ts';
import type { Stage } from './stage.ts';
import { ircPeople, ircRooms, telegramPeople, telegramRooms, xmppPeople } from './story.ts';
import { startXmppServer } from './xmpp-server.ts';

/** No word that people use: it would be a mention each time. */
const ME = 'visitor';

export async function xmppStage(secret: string): Promise<Stage> {
  const jid = (name: string): string => `${name}@localhost`;
  const roster = xmppPeople.map(({ name, shown, group }) => ({
    jid: jid(name),
    name: shown,
    groups: group ? [group] : [],
    subscription: 'both' as const,
  }));
  const server = await startXmppServer({ users: [{ name: ME, password: secret }], roster: { [ME]: roster } });
  const present: Stage['present'] = (who, state, note) => {
    const show = { online: undefined, away: 'away', offline: 'unavailable' } as const;
    server.presence(jid(who), show[state], note);
  };
  for (const { name, state, note } of xmppPeople) present(name, state, note);
  return {
    account: {
      network: 'xmpp',
      name: 'work',
      settings: { jid: jid(ME), server: `127.0.0.1:${server.port}`, tls: 'none' },
      secretField: 'password',
      secret,
    },
    people: xmppPeople,
    rooms: [],
    present,
    say: (who, text) => server.say(jid(who), jid(ME), text),
    typing: (who, active) => server.typing(jid(who), jid(ME), active),
    onMessage: (listener) => void server.onMessage((_, to, text) => listener(to.split('@')[0] ?? to, text)),
    stop: () => server.stop(),
  };
}

export async function ircStage(secret: string): Promise<Stage> {
  const server = await startIrcServer({
    people: ircPeople.map(({ name, state, note }) => ({
      nick: name,
      ...(state === 'away' && { away: note ?? 'asleep' }),
    })),
    channels: ircRooms.map(({ name, topic }) => ({ name, topic, members: ircPeople.map((person) => person.name) })),
    accounts: { [ME]: secret },
  });
  return {
    account: {
      network: 'irc',
      name: 'tea',
      settings: {
        server: `127.0.0.1:${server.port}`,
        tls: 'off',
        nick: ME,
        login: ME,
        sasl: 'plain',
        join: ircRooms.map(({ name }) => name).join(','),
      },
      secretField: 'password',
      secret,
    },
    people: ircPeople,
    rooms: ircRooms,
    present: (who, state, note) => server.away(who, state === 'away' ? (note ?? 'asleep') : undefined),
    say: (who, text, room) => server.say(who, room ?? ME, text),
    typing: (who, active) => server.typing(who, ME, active ? 'active' : 'done'),
    onMessage: (listener) =>
      server.onMessage((_, target, text) => {
        if (target.startsWith('#')) listener('', text, target);
        else listener(target, text);
      }),
    stop: () => server.stop(),
  };
}

export async function telegramStage(token: string): Promise<Stage> {
  const people = telegramPeople.map(({ name, shown }, at) => ({ id: 2000 + at, name: shown, username: name }));
  const groups = telegramRooms.map(({ name }, at) => ({
    id: -5000 - at,
    kind: 'group' as const,
    title: name,
    members: people.map(({ id }) => id),
  }));
  const server = await startBotApi({ token, people, groups });
  return {
    account: { network: 'telegram', name: 'tg', settings: { api: server.root }, secretField: 'token', secret: token },
    people: telegramPeople,
    rooms: telegramRooms,
    present: () => {},
    typing: () => {},
    say: (who, text, room) => {
      const person = people.find(({ username }) => username === who);
      const group = groups.find(({ title }) => title === room);
      if (person) server.say(person, text, group ? { group: group.id } : {});
    },
    onMessage: (listener) =>
      void server.onMessage(({ chat, text }) => {
        const person = people.find(({ id }) => id === chat);
        const group = groups.find(({ id }) => id === chat);
        if (person) listener(person.username, text);
        else if (group) listener('', text, group.title);
      }),
    stop: () => server.stop(),
  };
}
