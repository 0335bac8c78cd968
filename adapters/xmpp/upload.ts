import { readFile } from 'node:fs/promises';
import { request as http, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as https } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Element, xml } from '@xmpp/xml';
import type { FileId, Upload } from '../contract.ts';
import { AdapterError, asAdapterError } from '../errors.ts';
import type { Disco } from './disco.ts';
import type { Wire } from './wire.ts';
import { child, elements, NS } from './xml.ts';

/** Files by way of the server's upload service (XEP-0363). */
export interface Uploads {
  /** Puts the file there; resolves with the address where others get it. */
  put(file: Upload, signal: AbortSignal | undefined): Promise<string>;
  /** Only from the own server's upload service: anything else could lead anywhere. */
  read(id: FileId): AsyncIterable<Uint8Array>;
  /** Bytes of the largest file, once it is known. */
  limit(): number | undefined;
}

interface Service {
  readonly jid: string;
  readonly most: number | undefined;
}

export function uploads(wire: Wire, services: Disco): Uploads {
  let service: Service | undefined;
  const hosts = new Set<string>();
  const find = async (): Promise<Service> => {
    const found = await services.service((info) => info.features.has(NS.upload));
    if (!found) throw new AdapterError('unsupported', `${wire.domain} has no upload service for files`);
    const most = Number(found.info.fields.get('max-file-size'));
    service = { jid: found.jid, most: Number.isSafeInteger(most) && most > 0 ? most : undefined };
    return service;
  };
  const slot = async ({ name, bytes, mime }: Pick<Upload, 'name' | 'bytes' | 'mime'>): Promise<Slot> => {
    const { jid, most } = service ?? (await find());
    if (most !== undefined && bytes > most) {
      throw new AdapterError('too-long', `the file has ${bytes} bytes; ${jid} takes ${most} at most`);
    }
    const payload = xml('request', { xmlns: NS.upload, filename: name, size: bytes, 'content-type': mime });
    const read = readSlot(await wire.get(jid, payload));
    if (!allowed(wire, read.get)) throw new AdapterError('protocol', `${jid} offers no safe address for the file`);
    hosts.add(read.get.host);
    return read;
  };
  const call = async (method: string, url: URL, headers: Slot['headers'], signal?: AbortSignal): Promise<Call> => {
    const { ca } = wire.settings;
    const options: RequestOptions & { ca?: Buffer } = {
      method,
      headers,
      signal: signal ? AbortSignal.any([signal, wire.ended]) : wire.ended,
      ...(ca && url.protocol === 'https:' ? { ca: await readFile(ca) } : undefined),
    };
    const request = url.protocol === 'https:' ? https(url, options) : http(url, options);
    const response = new Promise<IncomingMessage>((resolve, reject) =>
      request.once('response', resolve).once('error', reject),
    );
    response.catch(() => undefined);
    return { request, response };
  };

  return {
    limit: () => service?.most,
    async put(file, signal) {
      const { put, get, headers } = await slot(file);
      try {
        const length = { 'content-type': file.mime, 'content-length': String(file.bytes) };
        const { request, response } = await call('PUT', put, { ...headers, ...length }, signal);
        const [, answer] = await Promise.all([pipeline(Readable.from(file.data()), request), response]);
        answer.resume();
        if (answer.statusCode !== 200 && answer.statusCode !== 201) {
          throw new AdapterError('refused', `the upload service answered ${answer.statusCode}`);
        }
      } catch (error) {
        throw asAdapterError(error, 'unreachable');
      }
      return get.href;
    },
    async *read(id) {
      const url = URL.canParse(id) ? new URL(id) : undefined;
      if (!url || !allowed(wire, url)) throw new AdapterError('refused', 'only files at an https address are read');
      if (!hosts.has(url.host)) {
        const { jid } = service ?? (await find());
        if (url.hostname !== jid) await slot({ name: 'probe', bytes: 1, mime: 'text/plain' });
        else hosts.add(url.host);
      }
      if (!hosts.has(url.host)) {
        throw new AdapterError(
          'refused',
          `the file is at ${url.host}, not at your own server; open its address yourself`,
        );
      }
      const { request, response } = await call('GET', url, {});
      request.end();
      const answer = await response.catch((error: unknown) => {
        throw asAdapterError(error, 'unreachable');
      });
      if (answer.statusCode !== 200) {
        answer.resume();
        const code = answer.statusCode === 404 || answer.statusCode === 410 ? 'not-found' : 'refused';
        throw new AdapterError(code, `the upload service answered ${answer.statusCode}`);
      }
      yield* answer;
    },
  };
}

interface Call {
  readonly request: ReturnType<typeof http>;
  readonly response: Promise<IncomingMessage>;
}

interface Slot {
  readonly put: URL;
  readonly get: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Section 4: no header but these three may be set by the service. */
const headersAllowed = new Set(['authorization', 'cookie', 'expires']);

function readSlot(reply: Element): Slot {
  const slot = child(reply, 'slot', NS.upload);
  const put = slot && child(slot, 'put', NS.upload);
  const get = slot && child(slot, 'get', NS.upload);
  const [putUrl = '', getUrl = ''] = [put?.attrs.url, get?.attrs.url];
  if (!put || !URL.canParse(putUrl) || !URL.canParse(getUrl)) {
    throw new AdapterError('protocol', 'the upload service gave no place for the file');
  }
  const headers = elements(put).flatMap((header): [string, string][] => {
    const name = header.attrs.name ?? '';
    const value = header.getText().replace(/[\r\n]/g, '');
    return headersAllowed.has(name.toLowerCase()) ? [[name, value]] : [];
  });
  return { put: new URL(putUrl), get: new URL(getUrl), headers: Object.fromEntries(headers) };
}

/** Clear text only where the account itself goes in clear text, which settings allow on a loopback address alone. */
function allowed(wire: Wire, url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && wire.settings.tls === 'none');
}
