import { createSocket } from 'node:dgram';
import type { SrvRecord } from '../../../../adapters/xmpp/transport/srv.ts';

export interface DnsStub {
  /** For `nameService`. */
  readonly server: string;
  /** `TYPE name` of each question, in order. */
  readonly questions: readonly string[];
  stop(): void;
}

export interface Zone {
  /** By the full name asked for. */
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
  readonly addresses?: Readonly<Record<string, string>>;
  /** Answers SERVFAIL to everything. */
  readonly broken?: boolean;
}

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 16: 'TXT', 28: 'AAAA', 33: 'SRV' };
const [A, SRV] = [1, 33];

/** A name server on loopback (RFC 1035 section 4) that knows one zone. */
export async function dnsStub(zone: Zone): Promise<DnsStub> {
  const socket = createSocket('udp4');
  const questions: string[] = [];
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${TYPES[type] ?? type} ${name}`);
    const answers = zone.broken ? [] : answersTo(zone, name, type);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // A response, recursion available; NXDOMAIN where there is nothing, SERVFAIL where broken.
    header.writeUInt16BE(0x8180 | (zone.broken ? 2 : answers.length === 0 ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    const records = answers.map((data) => {
      const head = Buffer.alloc(12);
      // The name is the question's, at offset 12; class IN, 60 s.
      head.writeUInt16BE(0xc00c, 0);
      head.writeUInt16BE(type, 2);
      head.writeUInt16BE(1, 4);
      head.writeUInt32BE(60, 6);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { server: `127.0.0.1:${socket.address().port}`, questions, stop: () => void socket.close() };
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answersTo(zone: Zone, name: string, type: number): readonly Buffer[] {
  if (type === SRV) return (zone.srv?.[name] ?? []).map(srvData);
  const address = zone.addresses?.[name];
  return type === A && address !== undefined ? [Buffer.from(address.split('.').map(Number))] : [];
}

function srvData({ priority, weight, port, name }: SrvRecord): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(priority, 0);
  numbers.writeUInt16BE(weight, 2);
  numbers.writeUInt16BE(port, 4);
  const labels = name.split('.').filter((label) => label !== '');
  const encoded = labels.flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([numbers, Buffer.from([...encoded, 0])]);
}
