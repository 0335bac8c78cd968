import type { Host } from '../contract.ts';
import type { Endpoint } from './transport/connect.ts';

/** Strict transport security (https://ircv3.net/specs/extensions/sts): kept in the account's memory. */
const KEPT = 'sts';

/** The port to come back to by TLS, from the capability's value on a connection in clear. */
export function stsPort(policy: string | undefined): number | undefined {
  const port = Number(field(policy, 'port'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Where to connect, with a policy that was kept put before the setting. */
export function stsEndpoint(endpoint: Endpoint, { memory, clock }: Host): Endpoint {
  if (endpoint.tls) return endpoint;
  const [name, port, until] = (memory.get(KEPT) ?? '').split(' ');
  if (name !== endpoint.host || !(Number(until) > clock.now())) return endpoint;
  return { ...endpoint, port: Number(port), tls: true };
}

/** Only what came by TLS may set or end a policy. */
export function forgetOrKeepSts(policy: string | undefined, endpoint: Endpoint, { memory, clock }: Host): void {
  const seconds = Number(field(policy, 'duration'));
  if (!endpoint.tls || !Number.isInteger(seconds)) return;
  memory.set(KEPT, seconds > 0 ? `${endpoint.host} ${endpoint.port} ${clock.now() + seconds * 1_000}` : undefined);
}

function field(policy: string | undefined, name: string): string | undefined {
  return policy
    ?.split(',')
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}
