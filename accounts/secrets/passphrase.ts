import { closeSync, readFileSync } from 'node:fs';
import type { Clock, Prompt } from '../../adapters/contract.ts';
import { asAdapterError } from '../../adapters/errors.ts';
import { readCommand } from './command.ts';
import { secretError } from './errors.ts';
import type { PassphraseSource } from './file.ts';

export type Ask = (prompt: Prompt) => Promise<string>;

/** From which the passphrase of the encrypted file comes; the first one that is set is the only one used. */
export interface Passphrases {
  from(ask: Ask, path: string): PassphraseSource;
}

/**
 * IMUX_PASSPHRASE_COMMAND: a command line that prints it. IMUX_PASSPHRASE_FD: the number of an open file descriptor, read
 * once (for `imux hub run`). Else the person is asked.
 */
export function passphrases(env: NodeJS.ProcessEnv, clock: Clock): Passphrases {
  const command = env.IMUX_PASSPHRASE_COMMAND;
  const descriptor = env.IMUX_PASSPHRASE_FD;
  let read: string | undefined;
  return {
    from(ask, path) {
      if (command) return unasked(() => readCommand(command, { clock, env }), 'IMUX_PASSPHRASE_COMMAND', path);
      if (descriptor) {
        return unasked(
          async () => {
            read ??= readDescriptor(descriptor);
            return read;
          },
          'IMUX_PASSPHRASE_FD',
          path,
        );
      }
      return async (why) => {
        try {
          return await askFor(why, ask, path);
        } catch (cause) {
          const { code, message } = asAdapterError(cause);
          throw secretError(code, `${message} (or let IMUX_PASSPHRASE_COMMAND give it where the hub runs)`, cause);
        }
      };
    },
  };
}

function unasked(give: () => Promise<string>, name: string, path: string): PassphraseSource {
  return async (why) => {
    if (why === 'wrong') throw secretError('auth', `${name} gave a passphrase that does not open ${path}`);
    return await give();
  };
}

function readDescriptor(descriptor: string): string {
  const number = Number(descriptor);
  if (!Number.isInteger(number) || number < 0) {
    throw secretError('auth', 'IMUX_PASSPHRASE_FD must be the number of an open file descriptor');
  }
  try {
    const text = readFileSync(number, 'utf8');
    if (number > 2) closeSync(number);
    return text.split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    throw secretError('auth', `the passphrase cannot be read from file descriptor ${number}`, cause);
  }
}

async function askFor(why: 'open' | 'new' | 'wrong', ask: Ask, path: string): Promise<string> {
  switch (why) {
    case 'open':
      return await ask({ kind: 'password', text: `Passphrase of ${path}` });
    case 'wrong':
      return await ask({ kind: 'password', text: `That passphrase does not open ${path}; another` });
    case 'new': {
      const chosen = await ask({ kind: 'password', text: `Choose a passphrase for the secrets in ${path}` });
      const again = await ask({ kind: 'password', text: 'The same passphrase once more' });
      if (chosen === again) return chosen;
      throw secretError('auth', 'the two passphrases differ; nothing was stored');
    }
  }
}
