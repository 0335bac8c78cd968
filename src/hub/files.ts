import { constants, createReadStream, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, extname, isAbsolute, join } from 'node:path';
import type { Upload } from '../../adapters/contract.ts';
import { AdapterError } from '../../adapters/errors.ts';
import { Fault } from '../core/fault.ts';

const types: Readonly<Record<string, string>> = {
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.zip': 'application/zip',
};

/** A file that a person wants to send. @throws Fault `bad-data` */
export function fileToSend(path: string): { readonly name: string; readonly mime: string; readonly bytes: number } {
  if (!isAbsolute(path)) throw new Fault('bad-data', `${path} is not a whole path`);
  const found = statOf(path);
  if (!found?.isFile()) throw new Fault('bad-data', `${path} is not a file that can be read`);
  return { name: basename(path), mime: mimeOf(path), bytes: found.size };
}

/** @throws AdapterError `refused` where the file has gone since it was queued. */
export function uploadOf(path: string): Upload {
  const found = statOf(path);
  if (!found?.isFile()) throw new AdapterError('refused', `the file ${path} is no longer there`);
  return { name: basename(path), mime: mimeOf(path), bytes: found.size, data: () => createReadStream(path) };
}

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
};

const mimeOf = (path: string): string => types[extname(path).toLowerCase()] ?? 'application/octet-stream';

/**
 * Writes what a network sent under a name that the sender chose: into that folder, as a new file (never through a link),
 * readable by its owner alone.
 * @throws Fault `bad-data`, `disk`
 */
export async function saveFile(folder: string, name: string, data: AsyncIterable<Uint8Array>): Promise<string> {
  if (!isAbsolute(folder)) throw new Fault('bad-data', `${folder} is not a whole path`);
  const safe = safeName(name);
  for (let count = 0; count < 1000; count += 1) {
    const path = join(folder, count === 0 ? safe : numbered(safe, count));
    const file = await openNew(path);
    if (!file) continue;
    try {
      for await (const chunk of data) await file.writeFile(chunk);
      return path;
    } finally {
      await file.close();
    }
  }
  throw new Fault('disk', `too many files are called ${safe} in ${folder}`);
}

const openNew = async (path: string) => {
  try {
    return await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
    throw new Fault('disk', `${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
};

/** No folders, no leading dot or dash, no encoded separators, at most 200 bytes. */
function safeName(name: string): string {
  const last =
    name
      .replace(/%(?:2f|5c|00)/gi, '/')
      .split(/[/\\\0]/)
      .at(-1) ?? '';
  let safe = last.replace(/^[.\-\s]+/, '').replace(/[\x00-\x1f\x7f:]/g, '_');
  while (Buffer.byteLength(safe) > 200) safe = [...safe].slice(1).join('');
  return safe || 'file';
}

const numbered = (name: string, count: number): string => {
  const end = extname(name);
  return `${name.slice(0, name.length - end.length)}-${count}${end}`;
};
