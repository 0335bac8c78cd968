import { describe, expect, it } from 'vitest';
import { type KeyringLibrary, keychainService, openKeychain } from '../../accounts/secrets/keychain.ts';
import { fakeClock, settle } from './fake-clock.ts';

interface Script {
  find?(): Promise<never[]>;
  construct?(...args: readonly unknown[]): void;
  get?(): Promise<string | null>;
  set?(secret: string): Promise<void>;
}

function keychain(script: Script, platform: NodeJS.Platform = 'linux') {
  const clock = fakeClock();
  class AsyncEntry {
    constructor(...args: readonly unknown[]) {
      script.construct?.(...args);
    }
    getPassword = () => script.get?.() ?? Promise.resolve(null);
    setPassword = (secret: string) => script.set?.(secret) ?? Promise.resolve();
    deletePassword = () => Promise.resolve(false);
  }
  const library = { AsyncEntry, findCredentialsAsync: script.find ?? (async () => []) };
  return { clock, keychain: openKeychain({ clock, platform, load: async () => library as unknown as KeyringLibrary }) };
}

describe('the keychain', () => {
  it('pins the Secret Service: the library would silently take the kernel keyring instead', async () => {
    const made: (readonly unknown[])[] = [];
    const { keychain: chain } = keychain({ construct: (...args) => void made.push(args) });
    await chain.getPassword('imux', 'work/password');
    expect(made).toEqual([['imux', 'work/password', { linux: { store: 'secret-service' } }]]);
  });

  it.each([
    ['locked', 'Secret Service: unlock prompt was dismissed', 'auth', /keychain is locked.*unlock it/],
    [
      'locked',
      'zbus error: org.freedesktop.Secret.Error.IsLocked: Cannot get secret of a locked object',
      'auth',
      /is locked/,
    ],
    [
      'no D-Bus',
      'Platform failure: DBus error: set your DBUS_SESSION_BUS_ADDRESS instead',
      'unreachable',
      /no D-Bus session/,
    ],
    [
      'no D-Bus',
      'zbus error: Failed to connect to address `unix:path=/run/user/0/bus`',
      'unreachable',
      /no D-Bus session/,
    ],
    [
      'none runs',
      'DBus error: The name org.freedesktop.secrets was not provided by any .service files',
      'unreachable',
      /no keychain runs/,
    ],
    ['silent', 'DBus error: Did not receive a reply. Possible causes include', 'unreachable', /does not answer/],
    ['anything else', 'something odd\nwith a second line', 'unreachable', /failed: something odd; try again/],
  ])('U12 says in plain words what is wrong and what to do: %s', async (_what, text, code, why) => {
    const { keychain: chain } = keychain({ get: () => Promise.reject(new Error(text)) });
    const error = await chain.getPassword('imux', 'a/b').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(why) });
    expect(error).toMatchObject({ message: expect.stringMatching(/--secret-file .*--secret-command .*--secret-env/) });
  });

  it('U12 says it where the platform has no keychain support', async () => {
    const chain = openKeychain({
      clock: fakeClock(),
      load: () => Promise.reject(new Error('Cannot find native binding')),
    });
    await expect(chain.getPassword('imux', 'a/b')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('answers within 10 s, though the keychain waits for its prompt', async () => {
    const { keychain: chain, clock } = keychain({ get: () => new Promise(() => {}) });
    const asked = chain.getPassword('imux', 'a/b');
    asked.catch(() => {});
    await clock.advance(10_000);
    await expect(asked).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/waiting for its password/),
    });
    expect(clock.sleepers).toBe(0);
  });

  it('does not construct an entry while the keychain hangs: that would block the whole hub', async () => {
    let made = 0;
    const { keychain: chain, clock } = keychain({ find: () => new Promise(() => {}), construct: () => made++ });
    const asked = chain.getPassword('imux', 'a/b');
    asked.catch(() => {});
    await clock.advance(10_000);
    await expect(asked).rejects.toMatchObject({ code: 'unreachable' });
    expect(made).toBe(0);
  });

  it('lets one call at a time hold a thread', async () => {
    let at = 0;
    let most = 0;
    const { keychain: chain } = keychain({
      async get() {
        most = Math.max(most, ++at);
        await settle();
        at--;
        return 'x';
      },
    });
    await Promise.all(Array.from({ length: 8 }, (_, account) => chain.getPassword('imux', String(account))));
    expect(most).toBe(1);
  });

  it('stores nothing after it was said that it was not stored', async () => {
    const stored: string[] = [];
    let unlock = (): void => {};
    const { keychain: chain, clock } = keychain({
      get: () =>
        new Promise((resolve) => {
          unlock = () => resolve(null);
        }),
      set: async (secret) => void stored.push(secret),
    });
    const reading = chain.getPassword('imux', 'a/b');
    const storing = chain.setPassword('imux', 'a/b', 'late');
    for (const call of [reading, storing]) call.catch(() => {});
    await clock.advance(10_000);
    await expect(storing).rejects.toMatchObject({ code: 'unreachable' });
    unlock();
    await settle();
    expect(stored).toEqual([]);
    await chain.setPassword('imux', 'a/b', 'now');
    expect(stored).toEqual(['now']);
  });

  it('has a set of secrets of its own for each profile and each IMUX_HOME', () => {
    expect(keychainService({})).toBe('imux');
    expect(keychainService({ IMUX_PROFILE: 'test' })).toBe('imux/test');
    expect(keychainService({ IMUX_HOME: '/tmp/x' }, 'test')).toBe('imux (/tmp/x)/test');
  });
});
