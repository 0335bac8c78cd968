import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openArchive } from '../../src/archive/archive.ts';
import type { Archive } from '../../src/archive/types.ts';
import { type AccountEntry, addAccount, type Core, createCore } from '../../src/core/state.ts';
import { takeStatus } from '../../src/core/status.ts';
import { tempDir } from '../servers/process.ts';

export interface TestCore {
  readonly core: Core;
  readonly archive: Archive;
  readonly work: AccountEntry;
  readonly home: AccountEntry;
}

export async function testArchive(): Promise<Archive> {
  const dir = await tempDir('core');
  const archive = openArchive(join(dir.path, 'archive.db'));
  onTestFinished(async () => {
    archive.close();
    await dir.remove();
  });
  return archive;
}

/** Two accounts of two networks, online, on a real archive that is gone after the test. */
export async function testCore(): Promise<TestCore> {
  const archive = await testArchive();
  const core = createCore(archive);
  const work = addAccount(core, { account: 'work', network: 'red', enabled: true });
  const home = addAccount(core, { account: 'home', network: 'blue', enabled: true });
  for (const account of [work, home]) {
    takeStatus(account, { state: 'connecting' });
    takeStatus(account, { state: 'online', self: 'me' });
  }
  return { core, archive, work, home };
}
