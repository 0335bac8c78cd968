import type { Chat, ChatId, MessageId, UserId } from '../../adapters/contract.ts';
import { openArchive } from '../../src/archive/archive.ts';

/** Words of English in the order of how often they are said (after Zipf), and then made-up ones. */
const COMMON =
  'the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what all were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more write go see number no way could people my than first water been call who oil its now find long down day did get come made may part'.split(
    ' ',
  );
const SYLLABLES = 'ka lo mi ne tu ra so pe di va no el in er an st th ou ing ion ber ham gro wen'.split(' ');

/** Numbers from 0 to 1, the same each time. */
export function dice(seed: number): () => number {
  let state = seed;
  // Mulberry32.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Talk {
  text(): string;
  /** One of the hundred words that are said most. */
  common(): string;
  rare(): string;
}

export function talk(next: () => number): Talk {
  const one = <T>(of: readonly T[], power = 1): T => of[Math.floor(next() ** power * of.length)] as T;
  const made = Array.from({ length: 30_000 }, () =>
    Array.from({ length: 2 + Math.floor(next() * 3) }, () => one(SYLLABLES)).join(''),
  );
  const common = (): string => one(COMMON, 2);
  const rare = (): string => one(made, 2);
  const word = (): string => (next() < 0.55 ? common() : rare());
  return { common, rare, text: () => Array.from({ length: 3 + Math.floor(next() * 14) }, word).join(' ') };
}

export interface Corpus {
  readonly texts: readonly string[];
  readonly talk: Talk;
}

const CHATS = 200;
/** The last part of them are old logs, imported when the rest was there. */
const IMPORTED = 0.1;

/** An archive of so many messages of five accounts, indexed; some of its texts. */
export async function seedArchive(path: string, count: number): Promise<Corpus> {
  const next = dice(count);
  const words = talk(next);
  const archive = openArchive(path);
  const keys = Array.from({ length: CHATS }, (_, n) => {
    const chat: Chat = {
      id: `c${n}` as ChatId,
      kind: n % 4 ? 'direct' : 'room',
      address: `c${n}@x`,
      title: `Chat ${n}`,
    };
    return archive.conversation(`account${n % 5}`, chat).key;
  });
  const texts: string[] = [];
  const live = Math.floor(count * (1 - IMPORTED));
  const start = Date.now() - count * 60_000;
  for (let n = 0; n < count; n++) {
    const key = keys[Math.floor(next() ** 2 * CHATS)];
    if (!key) continue;
    const who = `user${Math.floor(next() ** 2 * 400)}`;
    const at = n < live ? start + (n + count * IMPORTED) * 60_000 : start + (n - live) * 60_000;
    const text = words.text();
    const said = { key, id: `m${n}` as MessageId, from: who as UserId, fromName: who, at, text, mention: false };
    if (n < live) archive.receive({ ...said, unread: false });
    else archive.import(said);
    if (n % 2000 === 0) archive.flush();
    if (n % Math.ceil(count / 2000) === 0) texts.push(text);
  }
  await archive.index(new AbortController().signal);
  archive.close();
  return { texts, talk: words };
}
