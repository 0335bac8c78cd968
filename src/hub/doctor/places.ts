/** Folders, socket and archive: looked at, never changed. */
import { accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { STEPS } from '../../archive/schema.ts';
import { socketPlace } from '../../link/socket.ts';
import type { Paths } from '../../paths.ts';
import { type Finding, fault, warning, well } from './finding.ts';

export function* folders(paths: Paths): Iterable<Finding> {
  for (const name of ['config', 'data', 'run'] as const) yield folder(name, paths[name]);
}

function folder(name: string, path: string): Finding {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return missing(name, path);
  const uid = process.getuid?.();
  const target = statSync(path, { throwIfNoEntry: false });
  if (!target?.isDirectory())
    return fault('folders', name, `${path} is no folder`, 'disk', `look what it is, then: rm ${path}`);
  if (uid !== undefined && target.uid !== uid) {
    const remedy = 'set XDG_RUNTIME_DIR or IMUX_HOME to a folder of your own';
    return fault('folders', name, `${path} belongs to another user (uid ${target.uid})`, 'disk', remedy);
  }
  if ((target.mode & 0o077) !== 0) {
    return warning('folders', name, `others may look into ${path} (mode ${octal(target.mode)})`, `chmod 700 ${path}`);
  }
  if (!isWritable(path))
    return fault('folders', name, `${path} cannot be written`, 'disk', 'mount it for writing, or set IMUX_HOME');
  const open = readdirSync(path, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && ((statSync(join(path, entry.name), { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
    )
    .map((entry) => entry.name);
  if (open.length > 0) {
    const files = open.map((file) => join(path, file)).join(' ');
    return warning('folders', name, `others may read ${open.join(', ')} in ${path}`, `chmod 600 ${files}`);
  }
  return well('folders', name, `${path}, yours alone`);
}

function missing(name: string, path: string): Finding {
  let above = dirname(path);
  while (!existsSync(above)) above = dirname(above);
  if (isWritable(above)) return well('folders', name, `${path} is made when it is needed`);
  return fault(
    'folders',
    name,
    `${path} cannot be made: ${above} cannot be written`,
    'disk',
    'set IMUX_HOME to a folder of your own',
  );
}

const octal = (mode: number): string => (mode & 0o777).toString(8);

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function socket({ run }: Paths): Finding {
  try {
    const { socket: path } = socketPlace(run);
    return well('socket', 'path', `${path}, ${Buffer.byteLength(path)} bytes`);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return fault('socket', 'path', text, 'hub', 'set XDG_RUNTIME_DIR or IMUX_HOME to a shorter folder');
  }
}

const LITTLE_BYTES = 200 * 1024 * 1024;
/** A larger archive takes too long to read as a whole. */
const CHECKED_BYTES = 512 * 1024 * 1024;

export function* archive({ data }: Paths): Iterable<Finding> {
  const path = join(data, 'archive.db');
  if (existsSync(path)) yield* database(path);
  else yield well('archive', 'file', 'there is none yet');
  if (!existsSync(data)) return;
  const { bavail, bsize } = statfsSync(data);
  const free = bavail * bsize;
  const text = `${megabytes(free)} free in ${data}`;
  if (free >= LITTLE_BYTES) yield well('archive', 'disk', text);
  else yield warning('archive', 'disk', text, 'make room: what cannot be stored is not taken from the networks either');
}

function* database(path: string): Iterable<Finding> {
  const aside = 'imux sets a damaged archive aside at its next start and saves what can be read';
  try {
    using db = disposable(new DatabaseSync(path, { readOnly: true, timeout: 2_000 }));
    const version = Number(db.read('PRAGMA user_version').user_version);
    const { size } = statSync(path);
    if (version > STEPS.length)
      return yield fault('archive', 'layout', `a newer imux wrote ${path} (layout ${version})`, 'disk', 'update imux');
    const { count } = db.read('SELECT count(*) AS count FROM message');
    yield well('archive', 'file', `${path}, layout ${version}, ${count} messages, ${megabytes(size)}`);
    if (size > CHECKED_BYTES) return;
    const check = String(Object.values(db.read('PRAGMA quick_check(1)'))[0]);
    if (check !== 'ok') yield fault('archive', 'pages', `${path} is damaged: ${check}`, 'disk', aside);
  } catch (error) {
    const text = `${path} cannot be read: ${error instanceof Error ? error.message : error}`;
    yield fault('archive', 'file', text, 'disk', aside);
  }
}

function disposable(db: DatabaseSync): Disposable & { read(sql: string): Record<string, unknown> } {
  return { read: (sql) => db.prepare(sql).get() ?? {}, [Symbol.dispose]: () => db.close() };
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;
