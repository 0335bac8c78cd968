import { randomUUID } from 'node:crypto';
import type { Upload } from '../../contract.ts';
import type { Body } from './wire.ts';

/** multipart/form-data (RFC 7578) with one file, streamed; telegraf's own leaves quotes and newlines in the file name. */
export function multipart(fields: Readonly<Record<string, string>>, part: string, file: Upload): Body {
  const boundary = `imux-${randomUUID()}`;
  const head = Buffer.from(
    Object.entries(fields)
      .map(([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join('') +
      `--${boundary}\r\ncontent-disposition: form-data; name="${part}"; filename="${quoted(file.name)}"\r\n` +
      `content-type: ${/^[\w.+-]+\/[\w.+-]+$/.test(file.mime) ? file.mime : 'application/octet-stream'}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    bytes: head.length + file.bytes + tail.length,
    data: inOrder(head, file, tail),
  };
}

async function* inOrder(head: Uint8Array, file: Upload, tail: Uint8Array): AsyncIterable<Uint8Array> {
  yield head;
  yield* file.data();
  yield tail;
}

/** As browsers write it: https://html.spec.whatwg.org/#multipart-form-data */
function quoted(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22').replaceAll('\0', '%00');
}
