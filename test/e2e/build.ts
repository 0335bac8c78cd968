import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The program as it is released. */
export const program = `${root}dist/imux.js`;

/** Once a run: builds dist/ where a source is newer than it. */
export default async function buildOnce(): Promise<void> {
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > newestSource()) return;
  await promisify(execFile)(process.execPath, [`${root}bin/build.ts`], { cwd: root });
}

function newestSource(): number {
  let newest = 0;
  for (const folder of ['bin', 'src', 'accounts', 'adapters']) {
    for (const name of readdirSync(root + folder, { recursive: true, encoding: 'utf8' })) {
      newest = Math.max(newest, statSync(`${root}${folder}/${name}`).mtimeMs);
    }
  }
  return newest;
}
