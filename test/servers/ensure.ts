/**
 * Makes sure of the real servers that the suites run against. As root on Debian it installs what is missing; elsewhere it
 * says which suites are left out and how to bring them. Under CI=true a missing one ends with an error.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isInstalled } from './process.ts';

/** Debian package by the program that a suite starts. */
const wanted: readonly { readonly program: string; readonly packages: readonly string[]; readonly suite: string }[] = [
  { program: 'prosody', packages: ['prosody', 'prosody-modules', 'lua-dbi-sqlite3'], suite: 'XMPP on Prosody' },
  { program: 'go-sendxmpp', packages: ['go-sendxmpp'], suite: 'XMPP with another client' },
  { program: 'inspircd', packages: ['inspircd'], suite: 'IRC on InspIRCd' },
  { program: 'atheme-services', packages: ['atheme-services'], suite: 'IRC with services' },
  { program: 'znc', packages: ['znc'], suite: 'IRC by the bouncer ZNC' },
  { program: 'ngircd', packages: ['ngircd'], suite: 'IRC on ngIRCd' },
  { program: 'gnome-keyring-daemon', packages: ['gnome-keyring'], suite: 'secrets in gnome-keyring' },
  { program: 'dbus-run-session', packages: ['dbus', 'dbus-x11'], suite: 'secrets in gnome-keyring' },
  { program: 'secret-tool', packages: ['libsecret-tools'], suite: 'secrets in gnome-keyring' },
  { program: 'zsh', packages: ['zsh'], suite: 'completion in zsh' },
  { program: 'fish', packages: ['fish'], suite: 'completion in fish' },
  { program: 'jq', packages: ['jq'], suite: 'the examples' },
  { program: 'tmux', packages: ['tmux'], suite: 'the examples' },
  { program: 'groff', packages: ['groff-base'], suite: 'man pages' },
  { program: 'systemd-analyze', packages: ['systemd'], suite: 'the systemd unit' },
  { program: 'ip', packages: ['iproute2'], suite: 'faults of the network' },
  { program: 'openssl', packages: ['openssl'], suite: 'everything with TLS' },
];

const missing = (): typeof wanted => wanted.filter(({ program }) => !isInstalled(program));

function install(packages: readonly string[]): void {
  console.log(`installing ${packages.join(' ')}`);
  // Debian starts a service as it is installed; these serve tests only, on ports of their own.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['update', '-q'], { stdio: ['ignore', 'ignore', 'inherit'], env });
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

const first = missing();
if (first.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version') && isInstalled('apt-get')) {
  install(first.flatMap(({ packages }) => packages));
}
const still = missing();
for (const suite of new Set(still.map((one) => one.suite))) console.log(`left out: ${suite}`);
if (still.length > 0) {
  console.log(
    `to bring them: sudo apt-get install --no-install-recommends ${still.flatMap((one) => one.packages).join(' ')}`,
  );
  if (process.env.CI) process.exitCode = 1;
}
