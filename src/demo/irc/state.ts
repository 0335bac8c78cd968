/** Somebody on the server: a lively person without a connection, or a client with one. */
export interface Peer {
  nick: string;
  user: string;
  realname: string;
  away: string | undefined;
  account: string | undefined;
  readonly client: Client | undefined;
}

export interface Client {
  readonly peer: Peer;
  readonly caps: Set<string>;
  /** Folded nicks under MONITOR. */
  readonly watched: Set<string>;
  registered: boolean;
  negotiating: boolean;
  signedUser: boolean;
  /** The mechanism of a sign-in that is under way. */
  mechanism: string | undefined;
  /** Holds back what answers a labelled command until the answer is whole. */
  capture: string[] | undefined;
  write(line: string | Uint8Array): void;
  close(): void;
}

export interface Channel {
  readonly name: string;
  topic: string;
  key: string | undefined;
  readonly inviteOnly: boolean;
  readonly invited: Set<string>;
  /** By folded nick; the value holds the mode letters. */
  readonly members: Map<string, { readonly peer: Peer; modes: string }>;
}

export interface World {
  readonly name: string;
  /** Everybody, by folded nick. */
  readonly peers: Map<string, Peer>;
  readonly channels: Map<string, Channel>;
  readonly clients: Set<Client>;
  readonly accounts: Readonly<Record<string, string>>;
  readonly caps: readonly string[];
  readonly monitor: boolean;
  heard(from: string, target: string, text: string): void;
}

/** CASEMAPPING=ascii. */
export const fold = (text: string): string => text.toLowerCase();
export const maskOf = (peer: Peer): string => `${peer.nick}!${peer.user}@demo.example`;

let messages = 0;

/** The tags that one client has asked for. */
export function tagsFor(
  client: Client,
  from: Peer | undefined,
  more: readonly (readonly [string, string])[] = [],
): string {
  const tags: string[] = [];
  if (client.caps.has('server-time')) tags.push(`time=${new Date().toISOString()}`);
  if (client.caps.has('account-tag') && from?.account) tags.push(`account=${from.account}`);
  if (client.caps.has('message-tags')) for (const [key, value] of more) tags.push(`${key}=${value}`);
  return tags.length === 0 ? '' : `@${tags.join(';')} `;
}

export function messageId(): string {
  return `m${(++messages).toString(36)}`;
}

/** Everybody with a connection who shares a channel with the peer, without the peer. */
export function neighbours(world: World, peer: Peer): ReadonlySet<Client> {
  const found = new Set<Client>();
  for (const channel of world.channels.values()) {
    if (!channel.members.has(fold(peer.nick))) continue;
    for (const member of channel.members.values()) if (member.peer.client) found.add(member.peer.client);
  }
  if (peer.client) found.delete(peer.client);
  return found;
}

export interface Delivery {
  readonly from: Peer;
  readonly command: 'PRIVMSG' | 'NOTICE' | 'TAGMSG';
  readonly target: string;
  readonly text?: string | undefined;
  readonly tags?: readonly (readonly [string, string])[];
}

/** Passes a message on, to a channel or a person; the numeric that refuses it, or undefined. */
export function deliver(world: World, { from, command, target, text, tags = [] }: Delivery): string | undefined {
  const id = messageId();
  const rest = `:${maskOf(from)} ${command} ${target}${text === undefined ? '' : ` :${text}`}`;
  const send = (client: Client): void => {
    if (command === 'TAGMSG' && !client.caps.has('message-tags')) return;
    client.write(`${tagsFor(client, from, [...tags, ['msgid', id]])}${rest}`);
  };
  const channel = world.channels.get(fold(target));
  if (channel) {
    if (!channel.members.has(fold(from.nick))) return `404 ${from.nick} ${target} :Cannot send to channel`;
    for (const { peer } of channel.members.values()) if (peer.client && peer !== from) send(peer.client);
  } else {
    const peer = world.peers.get(fold(target));
    if (!peer) return `401 ${from.nick} ${target} :No such nick`;
    if (peer.client) send(peer.client);
    if (peer.away && from.client && command === 'PRIVMSG') {
      from.client.write(`:${world.name} 301 ${from.nick} ${peer.nick} :${peer.away}`);
    }
  }
  if (from.client?.caps.has('echo-message')) send(from.client);
  if (from.client && text !== undefined) world.heard(from.nick, target, text);
  return undefined;
}

/** Tells all who watch or share a channel that somebody went away, came back, came or left. */
export function announceAway(world: World, peer: Peer): void {
  const line = `:${maskOf(peer)} AWAY${peer.away === undefined ? '' : ` :${peer.away}`}`;
  const told = new Set(neighbours(world, peer));
  for (const client of world.clients) {
    if (client.caps.has('extended-monitor') && client.watched.has(fold(peer.nick))) told.add(client);
  }
  for (const client of told) if (client.caps.has('away-notify')) client.write(line);
}

export function announceOnline(world: World, peer: Peer, online: boolean): void {
  for (const client of world.clients) {
    if (!client.watched.has(fold(peer.nick))) continue;
    const [numeric, who] = online ? ['730', maskOf(peer)] : ['731', peer.nick];
    client.write(`:${world.name} ${numeric} ${client.peer.nick} :${who}`);
  }
}
