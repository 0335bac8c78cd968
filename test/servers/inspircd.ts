import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestCa } from './ca.ts';
import { freePort, isInstalled, type Running, spawnServer, tempDir, waitFor } from './process.ts';

const run = promisify(execFile);

export interface Inspircd {
  readonly ports: { readonly plain: number; readonly tls: number };
  /** Registers nicks at NickServ; the password of each then is the SASL password of that login. */
  register(passwords: ReadonlyMap<string, string>): Promise<void>;
  /** The server alone ends at once, as in a crash; `start` brings it back and waits for its services. */
  kill(): Promise<void>;
  start(): Promise<void>;
  log(): string;
  /** For good: the folder is removed. */
  stop(): Promise<void>;
}

const MODULES =
  'ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_chghost ircv3_ctctags ircv3_echomessage ircv3_invitenotify ircv3_labeledresponse ircv3_msgid ircv3_servertime monitor namesx uhnames setname cap sasl ssl_gnutls spanningtree svshold deaf servprotect hideoper services_account chanhistory starttls nicklock alias';

/** InspIRCd 3 with Atheme's services, both on 127.0.0.1; registration takes a second, by the server's own tick. */
export async function startInspircd(ca: TestCa): Promise<Inspircd> {
  const dir = await tempDir('inspircd');
  const [plain, tls, link] = [await freePort(), await freePort(), await freePort()];
  const conf = join(dir.path, 'inspircd.conf');
  const key = join(dir.path, 'server.key');
  const cert = join(dir.path, 'server.crt');
  await copyFile(ca.keyFile, key);
  await copyFile(ca.certFile, cert);
  await mkdir(join(dir.path, 'data'));
  await writeFile(conf, inspircdConfig({ plain, tls, link, cert, key, folder: dir.path }));
  const services = join(dir.path, 'atheme.conf');
  await writeFile(services, athemeConfig(link));
  // The server gives up root for the user irc, and Atheme does not mind whose the folder is.
  await run('chmod', ['-R', 'a+rwX', dir.path]);
  if (process.getuid?.() === 0) await run('chown', ['-R', 'irc', dir.path]);

  let server: Running | undefined;
  let atheme: Running | undefined;
  const start = async (): Promise<void> => {
    server = await spawnServer('/usr/sbin/inspircd', [`--config=${conf}`, '--nofork', '--nopid', '--runasroot'], {
      cwd: dir.path,
      ready: () => answersIrc(plain),
      timeoutMs: 30_000,
    });
    if (!isInstalled('atheme-services')) return;
    if (atheme) {
      // The services come back by themselves, with all that they know.
      await waitFor(() => hasServices(plain), { timeoutMs: 20_000, what: 'the services to link again' });
      return;
    }
    atheme = await spawnServer(
      '/usr/bin/atheme-services',
      [
        '-n',
        '-c',
        services,
        '-D',
        join(dir.path, 'data'),
        '-l',
        join(dir.path, 'atheme.log'),
        '-p',
        join(dir.path, 'atheme.pid'),
      ],
      { cwd: dir.path, ready: () => hasServices(plain), timeoutMs: 30_000 },
    );
  };
  await start();

  return {
    ports: { plain, tls },
    log: () => `${server?.log()}\n${atheme?.log()}`,
    start,
    async register(passwords) {
      const lines = [...passwords].flatMap(([nick, password]) => [
        `NICK ${nick}`,
        `PRIVMSG NickServ :REGISTER ${password} ${nick}@example.org`,
        'PRIVMSG NickServ :LOGOUT',
      ]);
      let done = 0;
      await talk(plain, 'registrar', lines, (line) => / is now registered/i.test(line) && ++done === passwords.size);
    },
    kill: async () => await server?.stop('SIGKILL'),
    stop: async () => {
      await atheme?.stop('SIGKILL');
      await server?.stop();
      await dir.remove();
    },
  };
}

/** Whether a server lets somebody in there. */
export async function answersIrc(port: number): Promise<boolean> {
  return await talk(port, `probe${Math.floor(Math.random() * 1e6)}`, [], () => true, 3_000).then(
    () => true,
    () => false,
  );
}

async function hasServices(port: number): Promise<boolean> {
  const said = await talk(port, `probe${Math.floor(Math.random() * 1e6)}`, ['CAP LS 302', 'WHOIS NickServ'], (line) =>
    / (311|401) /.test(line),
  ).catch(() => '');
  return / 311 /.test(said);
}

/** Signs in, says some lines, waits for an answer and leaves; the answer is the line that passed. */
async function talk(
  port: number,
  nick: string,
  lines: readonly string[],
  passes: (line: string) => boolean,
  timeoutMs = 15_000,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const heard: string[] = [];
  let failed: Error | undefined;
  socket.on('error', (error) => {
    failed = error;
  });
  let rest = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    const parts = (rest + chunk).split('\r\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part.startsWith('PING')) socket.write(`PONG${part.slice(4)}\r\n`);
      heard.push(part);
    }
  });
  socket.write(`NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`);
  const find = (what: (line: string) => boolean): Promise<string> =>
    waitFor(
      () => {
        if (failed) throw failed;
        return heard.find(what);
      },
      { timeoutMs, what: `IRC on ${port}` },
    );
  try {
    await find((line) => / (376|422) /.test(line));
    const from = heard.length;
    for (const line of lines) socket.write(`${line}\r\n`);
    if (lines.length === 0) return '';
    let seen = from;
    return await waitFor(
      () => {
        for (; seen < heard.length; seen++) if (passes(heard[seen] ?? '')) return heard[seen];
        return undefined;
      },
      { timeoutMs, what: `IRC on ${port} to answer; last was ${heard.slice(-3).join(' | ')}` },
    );
  } finally {
    socket.end('QUIT\r\n');
  }
}

interface Places {
  readonly plain: number;
  readonly tls: number;
  readonly link: number;
  readonly cert: string;
  readonly key: string;
  readonly folder: string;
}

function inspircdConfig({ plain, tls, link, cert, key, folder }: Places): string {
  const modules = MODULES.split(' ')
    .map((name) => `<module name="${name}">`)
    .join('\n');
  return `<config format="xml">
<server name="irc.localhost" description="test" network="Test" id="00A">
<admin name="test" nick="test" email="test@localhost">
<path configdir="${folder}" datadir="${folder}/data" logdir="${folder}" runtimedir="${folder}">
<bind address="127.0.0.1" port="${plain}" type="clients">
<bind address="127.0.0.1" port="${tls}" type="clients" sslprofile="main">
<bind address="127.0.0.1" port="${link}" type="servers">
${modules}
<sslprofile name="main" provider="gnutls" certfile="${cert}" keyfile="${key}" requestclientcert="yes">
<connect allow="*" timeout="60" pingfreq="120" hardsendq="268435456" softsendq="134217728" recvq="67108864"
 threshold="1000000" commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000" maxchans="1000"
 useident="no" resolvehostnames="no" modes="">
<cidr ipv4clone="32" ipv6clone="128">
<options prefixpart="" suffixpart="" defaultmodes="notH 50:1h" announcets="no" allowmismatch="yes" hostintopic="yes">
<performance netbuffersize="10240" somaxconn="128" quietbursts="yes" clonesonconnect="no">
<security runasuser="irc" maxtargets="20" announceinvites="dynamic" hideulines="no" flatlinks="no">
<limits maxnick="30" maxchan="64" maxmodes="20" maxident="11" maxquit="255" maxtopic="307" maxkick="255" maxgecos="128" maxaway="200">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${folder}/ircd.log">
<whowas groupsize="10" maxgroups="100" maxkeep="1d">
<chanhistory maxlines="50" prefixmsg="yes" bots="no">
<sasl target="services.imux.test" requiressl="no">
<link name="services.imux.test" ipaddr="127.0.0.1" port="${link}" allowmask="127.0.0.0/8" sendpass="link" recvpass="link">
<uline server="services.imux.test" silent="yes">
`;
}

function athemeConfig(link: number): string {
  const modules = [
    'protocol/inspircd',
    'backend/opensex',
    'nickserv/main',
    'nickserv/identify',
    'nickserv/register',
    'nickserv/info',
    'nickserv/logout',
    'saslserv/main',
    'saslserv/plain',
    'chanserv/main',
  ];
  const bot = (nick: string): string =>
    `{ nick = "${nick}"; user = "services"; host = "services.imux.test"; real = "services"; };`;
  return `${modules.map((name) => `loadmodule "modules/${name}";`).join('\n')}
serverinfo {
  name = "services.imux.test"; desc = "services"; numeric = "00B"; recontime = 2; netname = "Test";
  hidehostsuffix = "users.test"; adminname = "test"; adminemail = "test@localhost"; registeremail = "noreply@localhost";
  auth = none; casemapping = rfc1459; loglevel = { error; info; network; }; maxlogins = 100; maxusers = 0;
};
uplink "irc.localhost" { host = "127.0.0.1"; port = ${link}; send_password = "link"; receive_password = "link"; };
nickserv ${bot('NickServ')}
chanserv ${bot('ChanServ')}
saslserv ${bot('SaslServ')}
general { uflags = { }; cflags = { }; flood_msgs = 0; };
`;
}
