/** Fills the disk under the folder given until little is left, then tries to write far more; prints what became of it. */
import { readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSettings } from '../../accounts/settings.ts';
import { config } from './fake-network.ts';

const folder = join(process.argv[2] ?? '', 'config');
const settings = await openSettings(folder);
await settings.put(config({ settings: { nick: 'before' } }));
const before = readFileSync(settings.path, 'utf8');

const { bavail, bsize } = statfsSync(folder);
const left = 2 * bsize;
writeFileSync(join(folder, '..', 'filler'), Buffer.alloc(bavail * bsize - left));
const outcome = await settings.put(config({ settings: { nick: 'x'.repeat(4 * left) } })).then(
  () => 'done',
  (error: Error) => error.message,
);
console.log(JSON.stringify({ outcome, unchanged: readFileSync(settings.path, 'utf8') === before }));
