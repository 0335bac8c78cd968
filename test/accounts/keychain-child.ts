/** Carries out keychain calls given on standard input, one JSON array a line, and prints what became of each. */
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { openKeychain } from '../../accounts/secrets/keychain.ts';
import { realClock } from '../contract/host.ts';

const SERVICE = 'imux';
const chain = openKeychain({ clock: realClock, timeoutMs: Number(process.env.TIMEOUT_MS ?? 10_000) });

type Call = readonly [verb: string, account?: string, secret?: string];

async function carryOut([verb, account = '', secret = '']: Call): Promise<unknown> {
  switch (verb) {
    case 'get':
      return await chain.getPassword(SERVICE, account);
    case 'set':
      return (await chain.setPassword(SERVICE, account, secret)) ?? null;
    case 'delete':
      return await chain.deletePassword(SERVICE, account);
    case 'find':
      return await chain.findCredentials(SERVICE);
    case 'new-kernel-keys':
      return kernelKeys().filter((line) => !keysBefore.includes(line));
    case 'exposed':
      return ['cmdline', 'environ'].filter((file) => readFileSync(`/proc/self/${file}`, 'utf8').includes(account));
    case 'freeze':
      process.kill(daemonPid(), 'SIGSTOP');
      return null;
    case 'thaw':
      process.kill(daemonPid(), 'SIGCONT');
      return null;
    case 'worst-delay':
      // A block that ends in this turn of the loop is counted with the next tick of the histogram.
      await realClock.sleep(50);
      return delay.max / 1e6;
    default:
      throw new Error(`no verb ${verb}`);
  }
}

/** Keys of ours in the kernel's keyring, where the library would put them if it were let. */
function kernelKeys(): readonly string[] {
  return readFileSync('/proc/keys', 'utf8')
    .split('\n')
    .filter((line) => line.includes('imux'));
}

/** The gnome-keyring of this session: the one with our home folder. */
function daemonPid(): number {
  const found = readdirSync('/proc').find((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('gnome-keyring') &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${process.env.HOME}\0`)
      );
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('no gnome-keyring here');
  return Number(found);
}

const keysBefore = kernelKeys();
const delay = monitorEventLoopDelay({ resolution: 5 });
const calls = (await text(process.stdin)).split('\n').filter((line) => line !== '');
// The library is loaded by the first call; only what comes after is the keychain's doing.
await carryOut(['get', 'warm up']).catch(() => {});
delay.enable();
for (const line of calls) {
  const began = performance.now();
  const outcome = await carryOut(JSON.parse(line)).then(
    (value) => ({ value }),
    (error) => ({ code: error.code, message: error.message }),
  );
  console.log(JSON.stringify({ ...outcome, ms: Math.round(performance.now() - began) }));
}
// A call that still hangs in the library must not hold the process.
process.exit(0);
