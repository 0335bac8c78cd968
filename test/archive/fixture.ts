import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Chat, ChatId, MessageId, Nonce, UserId } from '../../adapters/contract.ts';
import { openArchive } from '../../src/archive/archive.ts';
import type { Archive, Incoming } from '../../src/archive/types.ts';
import type { ConversationKey } from '../../src/link/messages.ts';

export const id = (text: string): MessageId => text as MessageId;
export const nonce = (text: string): Nonce => text as Nonce;
export const user = (text: string): UserId => text as UserId;

/** A path for an archive in a folder of its own, removed after the test. */
export function archivePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imux-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data', 'archive.db');
}

/** An open archive, closed after the test. */
export function archive(path = archivePath()): Archive {
  const opened = openArchive(path);
  let open = true;
  const close = (): void => {
    if (open) opened.close();
    open = false;
  };
  onTestFinished(close);
  return { ...opened, close };
}

export function chat(name: string, about: Partial<Chat> = {}): Chat {
  return { id: name as ChatId, kind: 'direct', address: `${name}@example.org`, title: name, ...about };
}

let minted = 0;
/** A message from bob, unread, with an id of its own. */
export function incoming(key: ConversationKey, about: Partial<Incoming> = {}): Incoming {
  minted += 1;
  return {
    key,
    id: id(`message-${minted}`),
    from: user('bob'),
    fromName: 'Bob',
    at: 1_700_000_000_000 + minted,
    text: `text ${minted}`,
    mention: false,
    unread: true,
    ...about,
  };
}

/** What only has to be there: fails the test where it is not. */
export function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}
