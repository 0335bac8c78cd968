import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { program } from './build.ts';

it('says which Node it needs where there is an older one', () => {
  const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
  const args = ['--import', `data:text/javascript,${older}`, program, 'hub', 'status'];
  expect(spawnSync(process.execPath, args, { encoding: 'utf8' })).toMatchObject({
    status: 69,
    stdout: '',
    stderr: expect.stringMatching(/^imux needs Node 24 or later; this is v\d+/),
  });
});
