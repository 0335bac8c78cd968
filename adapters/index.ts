import type { Adapter } from './contract.ts';

/** The only list of networks: a network's name and how its adapter is loaded, once it is needed. */
const networks: Readonly<Record<string, () => Promise<Adapter>>> = {
  xmpp: async () => (await import('./xmpp/index.ts')).xmpp,
  irc: async () => (await import('./irc/index.ts')).irc,
  telegram: async () => (await import('./telegram/index.ts')).telegram,
  loopback: async () => (await import('./loopback/index.ts')).loopback,
};

export const networkNames: readonly string[] = Object.keys(networks);

/** @throws Error that names the known networks. */
export async function loadAdapter(network: string): Promise<Adapter> {
  const load = Object.hasOwn(networks, network) ? networks[network] : undefined;
  if (!load) throw new Error(`no network "${network}"; known are ${networkNames.join(', ')}`);
  return await load();
}
