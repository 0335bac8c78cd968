import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SessionOptions {
  /** Holds the keyring over sessions. */
  readonly home: string;
  /** Unlocks the login keyring, or makes it; another password than the first leaves it locked. */
  readonly password: string;
  /** `none`: a D-Bus session in which no keychain can be had. */
  readonly service?: 'gnome-keyring' | 'none';
  /** On the program's standard input. */
  readonly input?: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A bus that knows no services to start. */
const BARE_BUS = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
`;

/** Waits until the daemon owns its name: a call before that would make the bus start a second, locked one. */
const START = `
printf %s "$KEYRING_PASSWORD" | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1
until dbus-send --session --print-reply --dest=org.freedesktop.DBus / \\
  org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true
do sleep 0.05; done
`;

export interface KeyringSession {
  /** For programs that are to find this keyring. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** A D-Bus session with an unlocked gnome-keyring in it, until it is closed. */
export async function openKeyringSession(options: SessionOptions): Promise<KeyringSession> {
  const child = startSession(['sh', '-c', 'echo "bus $DBUS_SESSION_BUS_ADDRESS"; cat >/dev/null'], options);
  const closed = new Promise((resolve) => child.once('close', resolve));
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /^bus (.+)$/m.exec(said)?.[1];
      if (found) resolve(found);
    });
    child.once('close', () => reject(new Error(`no session: ${said}`)));
  });
  return {
    env: { ...bareEnv(), HOME: options.home, DBUS_SESSION_BUS_ADDRESS: address },
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}

/** Runs a program in a D-Bus session of its own with a gnome-keyring in it; both are gone when it ends. */
export async function runWithKeyring(command: readonly string[], options: SessionOptions): Promise<Outcome> {
  const child = startSession(command, options);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

function startSession(command: readonly string[], options: SessionOptions): ChildProcessWithoutNullStreams {
  const { home, password, service = 'gnome-keyring' } = options;
  const args: string[] = [];
  if (service === 'none') {
    const bus = join(home, 'bare-bus.conf');
    writeFileSync(bus, BARE_BUS);
    args.push(`--config-file=${bus}`);
  }
  args.push('--', 'sh', '-c', `${service === 'none' ? '' : START}unset KEYRING_PASSWORD; exec "$@"`, 'sh', ...command);
  return spawn('dbus-run-session', args, { env: { ...bareEnv(), HOME: home, KEYRING_PASSWORD: password } });
}

/** Without a display the unlock prompt of a locked keyring cannot open, and is taken as dismissed. */
function bareEnv(): NodeJS.ProcessEnv {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, XDG_RUNTIME_DIR: _runtime, ...env } = process.env;
  return env;
}
