import type { Chat, ChatId, MessageId, Nonce, UserId } from '../../adapters/contract.ts';
import { openArchive } from '../../src/archive/archive.ts';

/** A program for durability.test.ts to kill: receives and enqueues for ever, and says on stdout what it was promised. */
const path = process.argv[2];
if (path === undefined) throw new Error('usage: writer.ts PATH');
const archive = openArchive(path);
const chat: Chat = { id: 'alice' as ChatId, kind: 'direct', address: 'alice', title: 'Alice' };
const { key } = archive.conversation('work', chat);

for (let n = 0; ; n += 1) {
  const id = `${process.pid}-${n}`;
  const about = { from: 'alice' as UserId, fromName: 'Alice', at: n, mention: false, unread: true };
  archive.receive({ key, id: id as MessageId, text: id, ...about });
  archive.memory('work').set('offset', String(n));
  if (n % 50 === 0) {
    await archive.saved('work');
    process.stdout.write(`in ${id}\n`);
  }
  if (n % 70 === 0) {
    const { row } = archive.enqueue({ key, nonce: `out-${id}` as Nonce, text: id, at: n });
    process.stdout.write(`out ${row.row}\n`);
  }
  if (n % 100 === 0) await archive.index(AbortSignal.timeout(5));
}
