import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Another client, as it is started on an account of its own in a home of its own. */
export interface Rival {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** By path within its home. */
  readonly files: Readonly<Record<string, string>>;
}

/** Where those of XMPP sign in, password mepw, in clear text; poezio puts a name of the device behind the resource. */
export const RIVAL = 'me@localhost/rival-1';

export function xmppRivals(port: number): readonly Rival[] {
  return [mcabber(port), poezio(port), profanity(port), finch(port)];
}

/** Nick bench, in #flood. */
export function ircRivals(port: number): readonly Rival[] {
  const weechat = [
    '-d',
    '.',
    '-r',
    `/server add bench 127.0.0.1/${port} -nossl -nicks=bench -autojoin=#flood`,
    '-r',
    '/connect bench',
  ];
  return [
    irssi(port),
    { name: 'WeeChat (headless)', command: 'weechat-headless', args: weechat, files: {} },
    { name: 'WeeChat (curses)', command: 'weechat', args: weechat, files: {} },
  ];
}

/** Each sends its standard input to bob@localhost; the server's certificate is not looked at. */
export function sendRivals(port: number): readonly Rival[] {
  const server = ['-u', 'me', '-p', 'mepw', '-j', `localhost:${port}`];
  return [
    {
      name: 'go-sendxmpp',
      command: 'go-sendxmpp',
      args: ['-u', 'me@localhost', '-p', 'mepw', '-n', '-j', `localhost:${port}`, 'bob@localhost'],
      files: {},
    },
    { name: 'sendxmpp', command: 'sendxmpp', args: [...server, '-t', 'bob@localhost'], files: {} },
  ];
}

/** Writes its files; all is the owner's, where one is given. */
export async function layOut({ files }: Rival, home: string, owner: number | undefined): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(home, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text);
    await chmod(file, 0o600);
  }
  if (owner === undefined) return;
  for (const path of ['', ...(await readdir(home, { recursive: true }))]) await chown(join(home, path), owner, owner);
}

const lines = (settings: Readonly<Record<string, string | number>>, equals: string): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}${equals}${value}\n`)
    .join('');

const mcabber = (port: number): Rival => ({
  name: 'mcabber',
  command: 'mcabber',
  args: ['-f', '.mcabber/mcabberrc'],
  files: {
    '.mcabber/mcabberrc': lines(
      {
        'set jid': 'me@localhost',
        'set password': 'mepw',
        'set resource': 'rival-1',
        'set disable_random_resource': 1,
        'set server': '127.0.0.1',
        'set port': port,
        'set tls': 0,
        'set logging': 1,
      },
      ' = ',
    ),
    '.mcabber/histo/.keep': '',
  },
});

const poezio = (port: number): Rival => ({
  name: 'poezio',
  command: 'poezio',
  args: [],
  files: {
    '.config/poezio/poezio.cfg': `[Poezio]\n${lines(
      {
        jid: 'me@localhost/rival',
        device_id: 1,
        password: 'mepw',
        custom_host: '127.0.0.1',
        custom_port: port,
        force_encryption: 'false',
        ignore_certificate: 'true',
        use_log: 'true',
      },
      ' = ',
    )}`,
  },
});

const profanity = (port: number): Rival => ({
  name: 'profanity',
  command: 'profanity',
  args: ['-a', 'me'],
  files: {
    '.local/share/profanity/accounts': `[me]\n${lines(
      {
        enabled: 'true',
        jid: 'me@localhost',
        resource: 'rival-1',
        server: '127.0.0.1',
        port,
        'tls.policy': 'disable',
        password: 'mepw',
      },
      '=',
    )}`,
  },
});

const finch = (port: number): Rival => {
  const setting = (name: string, type: string, value: string | number): string =>
    `<setting name='${name}' type='${type}'>${value}</setting>`;
  const settings = [
    setting('connection_security', 'string', 'opportunistic_tls'),
    setting('auth_plain_in_clear', 'bool', 1),
    setting('port', 'int', port),
    setting('connect_server', 'string', '127.0.0.1'),
  ].join('');
  const account = `<protocol>prpl-jabber</protocol><name>${RIVAL}</name><password>mepw</password><settings>${settings}</settings>`;
  const ui = `<settings ui='gnt-purple'>${setting('auto-login', 'bool', 1)}</settings>`;
  return {
    name: 'finch',
    command: 'finch',
    args: [],
    files: {
      '.purple/accounts.xml': `<?xml version='1.0' encoding='UTF-8' ?><account version='1.0'><account>${account}${ui}</account></account>`,
    },
  };
};

const irssi = (port: number): Rival => ({
  name: 'irssi',
  command: 'irssi',
  args: ['--home', '.irssi'],
  files: {
    '.irssi/config': `
servers = ( { address = "127.0.0.1"; chatnet = "bench"; port = "${port}"; autoconnect = "yes"; } );
chatnets = { bench = { type = "IRC"; nick = "bench"; }; };
channels = ( { name = "#flood"; chatnet = "bench"; autojoin = "yes"; } );
settings = { core = { nick = "bench"; user_name = "bench"; real_name = "bench"; };
  "fe-common/core" = { window_auto_change = "yes"; }; };
`,
  },
});
