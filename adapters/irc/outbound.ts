import type { ChatId, Limits, MessageId, Nonce, Presence, SendOptions } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Reading } from './reading.ts';
import type { Rooms } from './rooms.ts';
import type { Talk } from './talk.ts';
import { splitText } from './text.ts';

/** Bytes of a whole line with its CR LF, as the server passes it on to others. */
const LINE = 512;
/** What we reckon with until the server has shown us our own user and host. */
const LONGEST = { user: 11, host: 63 };
/** One text may become this many lines; with the usual pacing that takes a minute. */
const MOST_LINES = 32;
const TEXT_BYTES = 4_096;
/** Milliseconds between two signs of typing (https://ircv3.net/specs/client-tags/typing). */
const TYPING_PAUSE = 3_000;

export interface Outbound {
  /** What begins with `/me ` goes out as an action (https://modern.ircdocs.horse/ctcp#action), each line of it. */
  send(chat: ChatId, text: string, nonce: Nonce, options?: SendOptions): Promise<MessageId>;
  limits(): Limits;
  typing(chat: ChatId, active: boolean): Promise<void>;
  presence(state: Presence, note?: string): Promise<void>;
}

export function outbound(connection: Connection, talk: Talk, rooms: Rooms, reading: Reading): Outbound {
  const { client, self, host, settings } = connection;
  const typedAt = new Map<ChatId, number>();

  const targetOf = (chat: ChatId): string => (connection.isChannel(chat) ? rooms.nameOf(chat) : talk.people.nick(chat));

  /** What is left of a line for text once the server has put our mask before it. */
  const room = (target: string): number => {
    const user = Math.max(self.user.length, self.user ? 0 : LONGEST.user);
    const hostname = self.host ? Buffer.byteLength(self.host) : LONGEST.host;
    const mask = Buffer.byteLength(self.nick) + 1 + user + 1 + hostname;
    return LINE - 2 - mask - Buffer.byteLength(`: PRIVMSG ${target} :`);
  };

  const tagsFor = (replyTo: MessageId | undefined): ReadonlyMap<string, string> | undefined =>
    replyTo !== undefined && client.network.supportsTag('draft/reply')
      ? new Map([['+draft/reply', replyTo]])
      : undefined;

  return {
    async send(chat, text, nonce, { replyTo, signal } = {}) {
      if (/[\0\x01]/.test(text)) throw new AdapterError('refused', 'NUL and U+0001 cannot be part of an IRC text');
      if (Buffer.byteLength(text) > TEXT_BYTES) throw tooLong(`${TEXT_BYTES} bytes`);
      const target = targetOf(chat);
      const action = /^\/me +(?=\S)/.exec(text)?.[0];
      const frame = action === undefined ? ['', ''] : ['\x01ACTION ', '\x01'];
      const lines = splitText(text.slice(action?.length), room(target) - frame.join('').length);
      if (lines.length === 0) throw new AdapterError('refused', 'there is no text to send');
      if (lines.length > MOST_LINES) throw tooLong(`${MOST_LINES} lines`);
      signal?.throwIfAborted();
      const tags = tagsFor(replyTo);
      const commands = lines.map((line) => ({
        command: 'PRIVMSG',
        params: [target, frame.join(line)],
        ...(tags === undefined ? {} : { tags }),
      }));
      const [echo] = await connection.ask(commands, signal);
      typedAt.delete(chat);
      return (echo && reading.idOf(echo)) ?? (nonce as string as MessageId);
    },
    limits: () => ({
      textBytes: TEXT_BYTES,
      ...(settings.pace === undefined ? {} : { perSecond: 1_000 / settings.pace.everyMs }),
    }),
    async typing(chat, active) {
      if (!client.network.supportsTag('typing')) {
        throw new AdapterError('unsupported', 'this server does not pass on who is typing');
      }
      const last = typedAt.get(chat);
      const now = host.clock.now();
      if (active ? last !== undefined && now - last < TYPING_PAUSE : last === undefined) return;
      if (active) typedAt.set(chat, now);
      else typedAt.delete(chat);
      connection.post('TAGMSG', [targetOf(chat)], new Map([['+typing', active ? 'active' : 'done']]));
    },
    async presence(state, note) {
      switch (state) {
        case 'online':
          return void (await connection.ask([{ command: 'AWAY', params: [] }]));
        case 'away':
        case 'busy':
          return void (await connection.ask([{ command: 'AWAY', params: [note || state] }]));
        case 'offline':
        case 'unknown':
          throw new AdapterError('unsupported', 'on IRC one is either here or away');
      }
    },
  };
}

function tooLong(limit: string): AdapterError {
  return new AdapterError('too-long', `the text is over ${limit}, which is too much for IRC`);
}
