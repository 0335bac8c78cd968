import type { LinkClient } from '../../link/client.ts';
import type { AccountView } from '../../link/messages.ts';
import { exit } from '../exit.ts';
import { type Io, VerbError } from '../verb.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** Whose messages a log has. */
export interface Owners {
  /** The account for what a log says of it. @throws VerbError where that names none. */
  of(said: string | undefined, path: string): string;
  /** True where the person named the account. */
  readonly given: boolean;
  has(account: string): boolean;
  add(account: string): void;
  /** Under which names there are messages now, but no account. */
  tell(io: Io): void;
}

/** An account is known by its name, its own address or a setting that is that address. */
export async function owners(link: LinkClient, given: string | undefined): Promise<Owners> {
  if (given !== undefined && !NAME.test(given)) throw new VerbError(exit.usage, `"${given}" is no account name`);
  const { accounts } = await link.call('accounts.list', {});
  const names = new Set(accounts.map(({ account }) => account));
  const byAddress = new Map<string, string>();
  for (const view of accounts)
    for (const address of await addressesOf(link, view)) byAddress.set(address, view.account);
  const unknown = new Set<string>();

  return {
    given: given !== undefined,
    has: (account) => names.has(account),
    add: (account) => void names.add(account),
    of: (said, path) => {
      const account = given ?? (said === undefined ? undefined : (byAddress.get(bare(said)) ?? said));
      if (account === undefined || !NAME.test(account)) {
        const whose = said === undefined ? '' : ` ("${said}")`;
        throw new VerbError(exit.usage, `${path}: whose messages are these${whose}? --account NAME says so`);
      }
      if (!names.has(account)) unknown.add(account);
      return account;
    },
    tell: (io) => {
      for (const account of unknown)
        io.say(`no account is called ${account}: its messages are kept and can be searched, but it is in no list`);
    },
  };
}

async function addressesOf(link: LinkClient, { account, id }: AccountView): Promise<readonly string[]> {
  const { settings } = await link.call('accounts.show', { account });
  return [id, ...Object.values(settings)].filter((text) => text.includes('@')).map(bare);
}

/** Without a resource, in small letters. */
const bare = (address: string): string => (address.split('/')[0] ?? '').toLowerCase();

/** Own nicks and addresses of all accounts, and those that the person named; in small letters. */
export async function ownNames(link: LinkClient, given: readonly string[]): Promise<ReadonlySet<string>> {
  const names = new Set(given.flatMap((text) => text.split(',')).map((name) => name.trim().toLowerCase()));
  const { accounts } = await link.call('accounts.list', {});
  for (const { account, id } of accounts) {
    const { settings } = await link.call('accounts.show', { account });
    for (const name of [id, settings.nick]) if (name) names.add(name.toLowerCase());
  }
  names.delete('');
  return names;
}
