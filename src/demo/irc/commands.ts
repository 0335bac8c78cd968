import {
  announceAway,
  announceOnline,
  type Channel,
  type Client,
  deliver,
  fold,
  maskOf,
  neighbours,
  type World,
} from './state.ts';

interface Call {
  readonly world: World;
  readonly client: Client;
  readonly params: readonly string[];
  readonly tags: readonly (readonly [string, string])[];
  /** A numeric to the caller, with their nick put in. */
  reply(numeric: string, rest: string): void;
}

export function handleLine(world: World, client: Client, text: string) {
  const { tags, command, params } = parse(text);
  const label = client.caps.has('labeled-response') ? tags.find(([key]) => key === 'label')?.[1] : undefined;
  const reply = (numeric: string, rest: string): void =>
    client.write(`:${world.name} ${numeric} ${client.peer.nick || '*'} ${rest}`);
  const call: Call = { world, client, params, tags: tags.filter(([key]) => key.startsWith('+')), reply };
  if (label !== undefined) client.capture = [];
  const known = commands[command];
  if (!known) reply('421', `${command} :Unknown command`);
  else if (!client.registered && !EARLY.has(command)) reply('451', ':You have not registered');
  else known(call);
  if (label !== undefined) answerLabel(world, client, label);
}

/** https://ircv3.net/specs/extensions/labeled-response: one line takes the label, several come in a batch. */
function answerLabel(world: World, client: Client, label: string) {
  const lines = client.capture ?? [];
  client.capture = undefined;
  const tagged = (line: string, tag: string): string =>
    line.startsWith('@') ? `@${tag};${line.slice(1)}` : `@${tag} ${line}`;
  const [first, ...more] = lines;
  if (first === undefined) return client.write(`@label=${label} :${world.name} ACK`);
  if (more.length === 0) return client.write(tagged(first, `label=${label}`));
  client.write(`@label=${label} :${world.name} BATCH +${label} labeled-response`);
  for (const line of lines) client.write(tagged(line, `batch=${label}`));
  client.write(`:${world.name} BATCH -${label}`);
}

const EARLY: ReadonlySet<string> = new Set(['CAP', 'AUTHENTICATE', 'NICK', 'USER', 'PASS', 'PING', 'QUIT']);

const commands: Readonly<Record<string, (call: Call) => void>> = {
  CAP: capabilities,
  AUTHENTICATE: authenticate,
  PASS: () => {},
  NICK: nick,
  USER({ world, client, params }) {
    client.peer.user = params[0] ?? 'user';
    client.peer.realname = params[3] ?? '';
    client.signedUser = true;
    welcome(world, client);
  },
  PING: ({ world, client, params }) => client.write(`:${world.name} PONG ${world.name} :${params[0] ?? ''}`),
  PONG: () => {},
  QUIT({ client }) {
    client.write('ERROR :Closing link: quit');
    client.close();
  },
  JOIN({ world, client, params, reply }) {
    const keys = (params[1] ?? '').split(',');
    (params[0] ?? '').split(',').forEach((name, at) => {
      join({ world, client, reply }, name, keys[at]);
    });
  },
  PART({ world, client, params, reply }) {
    for (const name of (params[0] ?? '').split(',')) {
      const channel = world.channels.get(fold(name));
      if (!channel?.members.has(fold(client.peer.nick))) reply('442', `${name} :You're not on that channel`);
      else leave(channel, client);
    }
  },
  NAMES({ world, params, reply }) {
    const channel = world.channels.get(fold(params[0] ?? ''));
    if (channel) names(channel, reply);
  },
  TOPIC({ world, client, params, reply }) {
    const channel = world.channels.get(fold(params[0] ?? ''));
    if (!channel?.members.has(fold(client.peer.nick))) return reply('442', `${params[0]} :You're not on that channel`);
    if (params[1] === undefined) return reply('332', `${channel.name} :${channel.topic}`);
    channel.topic = params[1];
    toAll(channel, `:${maskOf(client.peer)} TOPIC ${channel.name} :${channel.topic}`);
  },
  INVITE({ world, client, params, reply }) {
    const [who = '', name = ''] = params;
    const peer = world.peers.get(fold(who));
    if (!peer) return reply('401', `${who} :No such nick`);
    world.channels.get(fold(name))?.invited.add(fold(who));
    peer.client?.write(`:${maskOf(client.peer)} INVITE ${peer.nick} ${name}`);
    reply('341', `${peer.nick} ${name}`);
  },
  PRIVMSG: (call) => say(call, 'PRIVMSG'),
  NOTICE: (call) => say(call, 'NOTICE'),
  TAGMSG: (call) => say(call, 'TAGMSG'),
  AWAY({ world, client, params, reply }) {
    client.peer.away = params[0] || undefined;
    if (client.peer.away === undefined) reply('305', ':You are no longer marked as being away');
    else reply('306', ':You have been marked as being away');
    announceAway(world, client.peer);
  },
  MONITOR({ world, client, params, reply }) {
    if (!world.monitor) return reply('421', 'MONITOR :Unknown command');
    for (const who of (params[1] ?? '').split(',').filter((name) => name !== '')) {
      if (params[0] === '-') client.watched.delete(fold(who));
      if (params[0] !== '+') continue;
      client.watched.add(fold(who));
      const peer = world.peers.get(fold(who));
      reply(peer ? '730' : '731', `:${peer ? maskOf(peer) : who}`);
    }
  },
  ISON({ world, params, reply }) {
    const online = params
      .join(' ')
      .split(' ')
      .flatMap((who) => world.peers.get(fold(who))?.nick ?? []);
    reply('303', `:${online.join(' ')}`);
  },
  USERHOST({ world, params, reply }) {
    const found = params.flatMap((who) => world.peers.get(fold(who)) ?? []);
    const words = found.map((peer) => `${peer.nick}=${peer.away === undefined ? '+' : '-'}${peer.user}@demo.example`);
    reply('302', `:${words.join(' ')}`);
  },
  WHO({ world, params, reply }) {
    const channel = world.channels.get(fold(params[0] ?? ''));
    for (const { peer } of channel?.members.values() ?? []) {
      const flag = peer.away === undefined ? 'H' : 'G';
      reply('352', `${params[0]} ${peer.user} demo.example ${world.name} ${peer.nick} ${flag} :0 ${peer.realname}`);
    }
    reply('315', `${params[0]} :End of WHO list`);
  },
  MODE({ params, reply }) {
    if (params[0]?.startsWith('#')) reply('324', `${params[0]} +nt`);
  },
};

function capabilities({ world, client, params }: Call) {
  const write = (rest: string): void => client.write(`:${world.name} CAP ${client.peer.nick || '*'} ${rest}`);
  switch (params[0]?.toUpperCase()) {
    case 'LS':
      client.negotiating = !client.registered;
      return write(`LS :${world.caps.join(' ')}`);
    case 'REQ': {
      const asked = (params[1] ?? '').split(' ').filter((name) => name !== '');
      const offered = new Set(world.caps.map((entry) => entry.split('=')[0]));
      if (!asked.every((name) => offered.has(name))) return write(`NAK :${asked.join(' ')}`);
      for (const name of asked) client.caps.add(name);
      return write(`ACK :${asked.join(' ')}`);
    }
    case 'END':
      client.negotiating = false;
      return welcome(world, client);
  }
}

function authenticate({ world, client, params, reply }: Call) {
  const [given = ''] = params;
  if (given === '*') return reply('906', ':SASL authentication aborted');
  if (client.mechanism === undefined) {
    if (given !== 'PLAIN') return reply('908', 'PLAIN :are available SASL mechanisms');
    client.mechanism = given;
    return client.write('AUTHENTICATE +');
  }
  client.mechanism = undefined;
  const [, login = '', password = ''] = Buffer.from(given, 'base64').toString('utf8').split('\0');
  if (!Object.hasOwn(world.accounts, login) || world.accounts[login] !== password) {
    return reply('904', ':SASL authentication failed');
  }
  client.peer.account = login;
  reply('900', `${maskOf(client.peer)} ${login} :You are now logged in as ${login}`);
  reply('903', ':SASL authentication successful');
}

function nick({ world, client, params, reply }: Call) {
  const [wanted = ''] = params;
  if (!/^[^\s,*?!@:#]{1,30}$/.test(wanted)) return reply('432', `${wanted} :Erroneous nickname`);
  const holder = world.peers.get(fold(wanted));
  if (holder && holder !== client.peer) return reply('433', `${wanted} :Nickname is already in use`);
  if (client.registered) rename(world, client.peer.nick, wanted);
  else {
    world.peers.delete(fold(client.peer.nick));
    client.peer.nick = wanted;
    world.peers.set(fold(wanted), client.peer);
    welcome(world, client);
  }
}

/** Gives somebody another nick, and tells whoever sees them. */
export function rename(world: World, from: string, to: string): void {
  const peer = world.peers.get(fold(from));
  if (!peer) return;
  const line = `:${maskOf(peer)} NICK :${to}`;
  const told = neighbours(world, peer);
  announceOnline(world, peer, false);
  world.peers.delete(fold(from));
  for (const channel of world.channels.values()) {
    const member = channel.members.get(fold(from));
    if (!member) continue;
    channel.members.delete(fold(from));
    channel.members.set(fold(to), member);
  }
  peer.nick = to;
  world.peers.set(fold(to), peer);
  for (const client of told) client.write(line);
  peer.client?.write(line);
  announceOnline(world, peer, true);
}

/** Takes somebody off the server. */
export function quit(world: World, from: string, reason: string) {
  const peer = world.peers.get(fold(from));
  if (!peer) return;
  for (const client of neighbours(world, peer)) client.write(`:${maskOf(peer)} QUIT :${reason}`);
  for (const channel of world.channels.values()) channel.members.delete(fold(peer.nick));
  world.peers.delete(fold(peer.nick));
  announceOnline(world, peer, false);
}

function welcome(world: World, client: Client) {
  if (client.registered || client.negotiating || !client.signedUser || client.peer.nick === '') return;
  client.registered = true;
  const { nick: name } = client.peer;
  const write = (numeric: string, rest: string): void => client.write(`:${world.name} ${numeric} ${name} ${rest}`);
  write('001', `:Welcome, ${name}`);
  write('002', `:Your host is ${world.name}, running version demo`);
  write('004', `${world.name} demo io ntk`);
  const monitor = world.monitor ? 'MONITOR=100 ' : '';
  write(
    '005',
    `CASEMAPPING=ascii CHANTYPES=# PREFIX=(ov)@+ NICKLEN=30 NETWORK=Demo ${monitor}:are supported by this server`,
  );
  write('422', ':There is no message of the day');
  announceOnline(world, client.peer, true);
}

function join({ world, client, reply }: Pick<Call, 'world' | 'client' | 'reply'>, name: string, key?: string) {
  if (!/^#[^\s,\x07]+$/.test(name)) return reply('403', `${name} :No such channel`);
  let channel = world.channels.get(fold(name));
  if (!channel) {
    channel = { name, topic: '', key: undefined, inviteOnly: false, invited: new Set(), members: new Map() };
    world.channels.set(fold(name), channel);
  }
  const self = fold(client.peer.nick);
  if (channel.members.has(self)) return;
  if (channel.key !== undefined && channel.key !== key) return reply('475', `${name} :Cannot join channel (+k)`);
  if (channel.inviteOnly && !channel.invited.has(self)) return reply('473', `${name} :Cannot join channel (+i)`);
  channel.members.set(self, { peer: client.peer, modes: channel.members.size === 0 ? 'o' : '' });
  for (const { peer } of channel.members.values()) {
    const more = peer.client?.caps.has('extended-join')
      ? ` ${client.peer.account ?? '*'} :${client.peer.realname}`
      : '';
    peer.client?.write(`:${maskOf(client.peer)} JOIN ${channel.name}${more}`);
  }
  if (channel.topic !== '') reply('332', `${channel.name} :${channel.topic}`);
  names(channel, reply);
}

function names(channel: Channel, reply: Call['reply']): void {
  const words = [...channel.members.values()].map(({ peer, modes }) => `${modes.includes('o') ? '@' : ''}${peer.nick}`);
  for (let at = 0; at < words.length; at += 12)
    reply('353', `= ${channel.name} :${words.slice(at, at + 12).join(' ')}`);
  reply('366', `${channel.name} :End of NAMES list`);
}

function leave(channel: Channel, client: Client): void {
  toAll(channel, `:${maskOf(client.peer)} PART ${channel.name}`);
  channel.members.delete(fold(client.peer.nick));
}

function say({ world, client, params, tags, reply }: Call, command: 'PRIVMSG' | 'NOTICE' | 'TAGMSG') {
  const [target = '', text] = params;
  if (command !== 'TAGMSG' && !text) return reply('412', ':No text to send');
  const refused = deliver(world, { from: client.peer, command, target, text, tags });
  if (refused) client.write(`:${world.name} ${refused}`);
}

function toAll(channel: Channel, line: string): void {
  for (const { peer } of channel.members.values()) peer.client?.write(line);
}

function parse(text: string): {
  readonly tags: readonly (readonly [string, string])[];
  readonly command: string;
  readonly params: readonly string[];
} {
  const [, rawTags = '', rest = ''] = /^(?:@(\S*) +)?(?::\S+ +)?(.*)$/.exec(text) ?? [];
  const tags = rawTags.split(';').map((entry): readonly [string, string] => {
    const equals = entry.indexOf('=');
    return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  const colon = rest.indexOf(' :');
  const words = (colon === -1 ? rest : rest.slice(0, colon)).split(' ').filter((word) => word !== '');
  const [command = '', ...params] = words;
  return { tags, command: command.toUpperCase(), params: colon === -1 ? params : [...params, rest.slice(colon + 2)] };
}
