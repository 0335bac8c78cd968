import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHub, type TestFront, type TestHub } from './start.ts';

let hub: TestHub;
let front: TestFront;
beforeEach(async () => {
  const network = { env: { ...process.env, IMUX_PASSPHRASE_COMMAND: 'echo open-sesame' } };
  hub = await startHub(network);
  front = await hub.front();
});
afterEach(() => hub.end());

it('a secret given again stays in the file where the one before was, and needs no keychain', async () => {
  const settings = { self: 'work@test' };
  const first = { kind: 'given', secret: 'one', into: 'file' } as const;
  await front.call('accounts.add', { network: 'test', name: 'work', settings, secrets: { password: first } });
  const again = { kind: 'given', secret: 'two' } as const;
  await front.call('accounts.set', { account: 'work', settings: {}, secrets: { password: again } });
  const { secrets } = await front.call('accounts.show', { account: 'work' });
  expect(secrets.password).toContain('secrets.enc');
});
