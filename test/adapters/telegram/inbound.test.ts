import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../adapters/contract.ts';
import { readUpdate, type View } from '../../../adapters/telegram/inbound.ts';
import { telegram } from '../../../adapters/telegram/index.ts';
import { knownChats } from '../../../adapters/telegram/known.ts';
import { scrubber } from '../../../adapters/telegram/transport/token.ts';

const view: View = {
  self: 700,
  now: () => 1_800_000_000_000,
  owner: (connection) => (connection === 'c' ? { id: 9, name: 'Nine', address: '@nine' } : undefined),
  title: () => undefined,
  threadOf: () => undefined,
};
const chat = { id: 41, type: 'private', first_name: 'Alice' };
const message = (fields: object): AdapterEvent[] => [
  ...readUpdate(
    {
      update_id: 1,
      message: { message_id: 5, date: 1_700_000_000, chat, from: { id: 41, first_name: 'Alice' }, ...fields },
    },
    view,
  ),
];
const shown = (fields: object): string | undefined =>
  message(fields).flatMap((event) => (event.type === 'message' ? [event.message.text] : []))[0];

describe('what a person reads of each kind of message', () => {
  const kinds: readonly (readonly [string, object, string])[] = [
    ['text', { text: 'hello' }, 'hello'],
    ['a caption', { caption: 'look', photo: [{ file_id: 'p' }] }, 'look'],
    ['a photo alone', { photo: [{ file_id: 'p' }] }, ''],
    ['a sticker', { sticker: { file_id: 's', emoji: '🐛' } }, '🐛'],
    ['a location', { location: { latitude: 51.5, longitude: -0.1 } }, '[location: 51.5, -0.1]'],
    ['a place', { venue: { title: 'Hole', address: 'Under the tree' }, location: {} }, '[place: Hole, Under the tree]'],
    ['a contact', { contact: { first_name: 'Bill', phone_number: '+44' } }, '[contact: Bill +44]'],
    [
      'a poll',
      { poll: { question: 'Tea?', options: [{ text: 'yes' }, { text: 'more' }] } },
      '[poll: Tea?: yes / more]',
    ],
    ['a die', { dice: { emoji: '🎲', value: 6 } }, '🎲 6'],
    ['a kind of tomorrow', { hologram: {} }, '[a kind of message that imux cannot show]'],
    [
      'a forwarded text',
      { text: 'psst', forward_origin: { type: 'hidden_user', sender_user_name: 'Cat' } },
      'Forwarded from Cat:\npsst',
    ],
    [
      'links under other words',
      {
        text: 'see here and there',
        entities: [
          { type: 'text_link', offset: 4, length: 4, url: 'https://a' },
          { type: 'text_link', offset: 13, length: 5, url: 'https://b' },
        ],
      },
      'see here (https://a) and there (https://b)',
    ],
    [
      'a link that is its own text',
      { text: 'https://a', entities: [{ type: 'text_link', offset: 0, length: 9, url: 'https://a' }] },
      'https://a',
    ],
  ];
  for (const [what, fields, text] of kinds) it(what, () => expect(shown(fields)).toBe(text));
});

describe('files', () => {
  const kinds: readonly (readonly [string, object, object])[] = [
    [
      'the largest size of a photo',
      { photo: [{ file_id: 'small' }, { file_id: 'large', file_size: 9 }] },
      { id: 'large', name: 'photo.jpg', bytes: 9 },
    ],
    [
      'a document',
      { document: { file_id: 'd', file_name: 'a.pdf', mime_type: 'application/pdf', file_size: 1 } },
      { id: 'd', name: 'a.pdf', mime: 'application/pdf', bytes: 1 },
    ],
    [
      'an animation, once',
      { animation: { file_id: 'a' }, document: { file_id: 'a', file_name: 'x.mp4' } },
      { id: 'a', name: 'x.mp4' },
    ],
    [
      'a voice message',
      { voice: { file_id: 'v', mime_type: 'audio/ogg' } },
      { id: 'v', name: 'voice.ogg', mime: 'audio/ogg' },
    ],
    ['a video', { video: { file_id: 'v' } }, { id: 'v', name: 'video.mp4' }],
    ['a round video', { video_note: { file_id: 'v' } }, { id: 'v', name: 'video-note.mp4' }],
    ['a moving sticker', { sticker: { file_id: 's', is_video: true } }, { id: 's', name: 'sticker.webm' }],
  ];
  for (const [what, fields, file] of kinds)
    it(what, () => {
      const files = message(fields).flatMap((event) => (event.type === 'message' ? (event.message.files ?? []) : []));
      expect(files).toEqual([file]);
    });
});

describe('who, where and when', () => {
  it('the own id is `self`; an admin who stays unnamed is the group', () => {
    expect(message({ from: { id: 700 }, text: 'x' }).at(-1)).toMatchObject({ message: { from: 'self' } });
    const group = { id: -5, type: 'group', title: 'G' };
    expect(message({ chat: group, sender_chat: group, from: { id: 1_087_968_824 }, text: 'x' }).at(-1)).toMatchObject({
      message: { from: '-5', fromName: 'G' },
    });
  });

  it('what the bot itself sent for a person is not told again', () => {
    const fields = { business_connection_id: 'c', from: { id: 9 }, sender_business_bot: { id: 700 }, text: 'x' };
    expect(message(fields).map(({ type }) => type)).toEqual(['contact']);
  });

  it('a date that makes no sense is now', () => {
    for (const date of [-1, 0, 1e12, Number.NaN, '2020', null])
      expect(message({ date, text: 'x' }).at(-1)).toMatchObject({ message: { at: new Date(view.now()) } });
  });

  it('a thread id outside a forum is no topic', () => {
    const group = { id: -100, type: 'supergroup', title: 'G' };
    expect(message({ chat: group, message_thread_id: 8, text: 'x' }).at(-1)).toMatchObject({
      message: { chat: '-100' },
    });
  });

  it('service messages show nothing and tell of the members', () => {
    const group = { id: -5, type: 'group', title: 'G' };
    const events = message({ chat: group, new_chat_members: [{ id: 1, first_name: 'One' }, { id: 700 }, null, {}] });
    expect(events.map(({ type }) => type)).toEqual(['chat', 'member']);
    expect(message({ pinned_message: {} }).map(({ type }) => type)).toEqual(['contact']);
  });

  it('reactions without a plain emoji are marked, and taking all back is an empty list', () => {
    const reaction = (new_reaction: unknown) =>
      readUpdate({ message_reaction: { chat, message_id: 5, user: { id: 41 }, new_reaction } }, view)[0];
    const kinds = [
      { type: 'emoji', emoji: '👍' },
      { type: 'custom_emoji', custom_emoji_id: '1' },
      { type: 'paid' },
      null,
    ];
    expect(reaction(kinds)).toMatchObject({ emoji: ['👍', '❔', '⭐', '❔'] });
    expect(reaction([])).toMatchObject({ emoji: [] });
  });

  it('odd updates give nothing and throw nothing', () => {
    const odd: readonly unknown[] = [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { message: null },
      { message: [] },
      { message: { chat: {} } },
      { constructor: {} },
      { toString: { chat } },
      { my_chat_member: { chat } },
      { chat_member: { chat, new_chat_member: {} } },
      { message_reaction: { chat } },
      { deleted_business_messages: { chat, message_ids: [null, 'x'] } },
    ];
    for (const update of odd) expect(readUpdate(update, view)).toEqual([]);
  });
});

describe('what is known', () => {
  const memory = () => {
    const entries = new Map<string, string>();
    let writes = 0;
    return {
      entries,
      writes: () => writes,
      get: (key: string) => entries.get(key),
      set: (key: string, value: string | undefined) => {
        writes++;
        if (value === undefined) entries.delete(key);
        else entries.set(key, value);
      },
    };
  };
  const contact = (id: number, name: string): AdapterEvent => ({
    type: 'contact',
    contact: { id: String(id) as never, chat: String(id) as never, address: `@p${id}`, name, groups: [] },
  });

  it('10,000 people are kept in small records, each written once, and are there after a restart', () => {
    const kept = memory();
    const known = knownChats(kept);
    for (let id = 1; id <= 10_000; id++) expect(known.learn(contact(id, `Person ${id}`))).toBe(true);
    for (let id = 1; id <= 10_000; id++) expect(known.learn(contact(id, `Person ${id}`))).toBe(false);
    expect(kept.writes()).toBe(20_000);
    expect(Math.max(...[...kept.entries.values()].map((value) => value.length))).toBeLessThan(80);
    const again = knownChats(kept);
    expect(again.roster().contacts.length).toBe(10_000);
    expect(again.find('@P77')).toMatchObject({ title: 'Person 77' });
  });

  it('what was left is forgotten, and its place in memory too', () => {
    const kept = memory();
    const known = knownChats(kept);
    known.learn({ type: 'chat', chat: { id: '-5' as never, kind: 'room', address: '-5', title: 'G' } });
    expect(known.learn({ type: 'chat-left', chat: '-5' as never })).toBe(true);
    expect(known.learn({ type: 'chat-left', chat: '-5' as never })).toBe(false);
    expect(known.find('-5')).toBeUndefined();
    expect(knownChats(kept).roster()).toEqual({ type: 'roster', contacts: [], chats: [] });
  });
});

describe('settings and token', () => {
  it('plain http is for this machine alone', () => {
    for (const api of [
      'http://127.0.0.1:8081',
      'http://[::1]:8081',
      'http://localhost',
      'https://bots.example.org/x',
      '',
    ])
      expect(() => telegram.parse({ api })).not.toThrow();
    for (const api of [
      'http://10.0.0.1',
      'http://bots',
      'http://127.0.0.1.example.org',
      'ws://localhost',
      7,
      'https://a/?b',
    ])
      expect(() => telegram.parse({ api })).toThrow('"api"');
    expect(telegram.parse({}).api.href).toBe('https://api.telegram.org/');
  });

  it('T2 the token is taken out of a text however it is written there', () => {
    const token = '123:AbC_d-Ef0123456789xyz';
    const scrub = scrubber(token);
    const hex = (text: string): string => [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
    const secret = token.slice(4);
    for (const form of [
      token,
      secret,
      encodeURIComponent(token),
      encodeURIComponent(encodeURIComponent(token)),
      hex(token),
      hex(token).toUpperCase(),
      encodeURIComponent(hex(secret)),
      token.toLowerCase(),
    ]) {
      const scrubbed = scrub(`at /bot${form}/getMe, and again ${form}.`);
      expect(scrubbed.toLowerCase()).not.toContain(secret.toLowerCase());
      expect(scrubbed).toContain('[token]');
    }
    expect(scrub('nothing here: 123:Abc')).toBe('nothing here: 123:Abc');
  });
});
