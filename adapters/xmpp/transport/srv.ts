import { type LookupAddress, lookup, Resolver } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { AdapterError } from '../../errors.ts';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Where names are looked up; the system's unless a test brings its own. */
export interface NameService {
  /** An empty list where there is no such name. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  readonly lookup: LookupFunction;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly direct: boolean;
}

const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);
const QUERY = { timeout: 3_000, tries: 2 };

/** `servers` (`host:port`): in place of the system's name servers, for addresses as well. */
export function nameService(servers?: readonly string[]): NameService {
  const resolver = new Resolver(QUERY);
  if (servers) resolver.setServers(servers);
  return {
    srv: (name) =>
      new Promise((resolve, reject) => {
        resolver.resolveSrv(name, (error, records) => {
          if (!error) resolve(records);
          else if (NO_SUCH_NAME.has(error.code ?? '')) resolve([]);
          else reject(error);
        });
      }),
    lookup: servers ? lookupBy(resolver) : lookup,
  };
}

function lookupBy(resolver: Resolver): LookupFunction {
  return (host, options, callback) => {
    let trouble = false;
    const ask = (family: 4 | 6): Promise<LookupAddress[]> =>
      new Promise((resolve) => {
        const done = (error: NodeJS.ErrnoException | null, found: readonly string[]): void => {
          if (error && !NO_SUCH_NAME.has(error.code ?? '')) trouble = true;
          resolve(error ? [] : found.map((address) => ({ address, family })));
        };
        if (family === 4) resolver.resolve4(host, done);
        else resolver.resolve6(host, done);
      });
    void Promise.all([ask(6), ask(4)]).then((answers) => {
      const found = answers.flat();
      const first = found[0];
      const code = trouble ? 'EAI_AGAIN' : 'ENOTFOUND';
      if (!first) callback(Object.assign(new Error(`no address for ${host}`), { code }), '');
      else if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * Where the domain takes clients, in the order to try (RFC 6120 section 3.2, XEP-0368 section 3): both kinds of SRV
 * record mixed by priority and weight, else the domain itself. Records for servers and TXT records are never asked.
 * @throws AdapterError `unreachable` where the domain says that it takes none.
 */
export async function targets(
  domain: string,
  allowed: 'auto' | 'starttls' | 'direct',
  names: NameService,
  random: () => number = Math.random,
): Promise<readonly Target[]> {
  const ask = async (service: string, direct: boolean): Promise<readonly (SrvRecord & { direct: boolean })[]> => {
    if (allowed === (direct ? 'starttls' : 'direct')) return [];
    try {
      const records = await names.srv(`_${service}._tcp.${domain}`);
      return records.map((record) => ({ ...record, direct }));
    } catch {
      // A name server in trouble: whom we then reach must show the domain's certificate all the same.
      return [];
    }
  };
  const found = (await Promise.all([ask('xmpps-client', true), ask('xmpp-client', false)])).flat();
  const usable = found.filter(({ name }) => name !== '.' && name !== '');
  if (usable.length > 0) {
    return srvOrder(usable, random).map(({ name, port, direct }) => ({ host: name, port, direct }));
  }
  // RFC 2782: a target of "." says that the service is decidedly not there.
  if (found.length > 0) throw new AdapterError('unreachable', `${domain} has no XMPP server for clients`);
  const fallback: Target[] = [
    { host: domain, port: 5222, direct: false },
    { host: domain, port: 5223, direct: true },
  ];
  return fallback.filter(({ direct }) => allowed !== (direct ? 'starttls' : 'direct'));
}

/** RFC 2782, "Usage rules": by priority; within one, drawn by weight. */
export function srvOrder<R extends SrvRecord>(records: readonly R[], random: () => number): readonly R[] {
  const ordered: R[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const level of priorities) {
    // Weight 0 first, so that it has its small chance.
    const left = records.filter(({ priority }) => priority === level).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      const drawn = Math.floor(random() * (total + 1));
      let sum = 0;
      const at = left.findIndex(({ weight }) => {
        sum += weight;
        return sum >= drawn;
      });
      ordered.push(...left.splice(Math.max(at, 0), 1));
    }
  }
  return ordered;
}
