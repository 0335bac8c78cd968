import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from './process.ts';

const run = promisify(execFile);

export interface IssueOptions {
  readonly names?: readonly string[];
  readonly ips?: readonly string[];
  /** Negative: expired already. */
  readonly days?: number;
  readonly signedBySelf?: boolean;
}

export interface Certificate {
  /** PEM: the certificate and the CA's. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TestCa extends Certificate {
  readonly folder: string;
  readonly caFile: string;
  issue(options: IssueOptions): Promise<Certificate>;
  remove(): Promise<void>;
}

const LOCAL: IssueOptions = {
  names: ['localhost', '*.localhost', 'conference.localhost', 'upload.localhost', 'irc.localhost'],
  ips: ['127.0.0.1', '::1'],
};

/** A throw-away certificate authority with a certificate for the loopback names. */
export async function testCa(): Promise<TestCa> {
  const dir = await tempDir('ca');
  const caFile = join(dir.path, 'ca.crt');
  const caKey = join(dir.path, 'ca.key');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    'req',
    '-x509',
    ...curve,
    '-days',
    '30',
    '-subj',
    '/CN=imux test CA',
    '-keyout',
    caKey,
    '-out',
    caFile,
  ]);
  let count = 0;

  const issue = async ({
    names = [],
    ips = [],
    days = 30,
    signedBySelf = false,
  }: IssueOptions): Promise<Certificate> => {
    const base = join(dir.path, `leaf${count++}`);
    const subjects = [...names.map((name) => `DNS:${name}`), ...ips.map((ip) => `IP:${ip}`)].join(',');
    await writeFile(`${base}.cnf`, `subjectAltName=${subjects}\n`);
    await run('openssl', [
      'req',
      ...curve,
      '-subj',
      `/CN=${names[0] ?? 'imux'}`,
      '-keyout',
      `${base}.key`,
      '-out',
      `${base}.csr`,
    ]);
    const signer = signedBySelf ? ['-key', `${base}.key`] : ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial'];
    const sign = signedBySelf ? ['x509', '-req', '-signkey', `${base}.key`] : ['x509', '-req', ...signer];
    await run('openssl', [
      ...sign,
      '-in',
      `${base}.csr`,
      '-days',
      String(days),
      '-extfile',
      `${base}.cnf`,
      '-out',
      `${base}.crt`,
    ]);
    const chain = (await readFile(`${base}.crt`, 'utf8')) + (signedBySelf ? '' : await readFile(caFile, 'utf8'));
    await writeFile(`${base}.pem`, chain);
    return { certFile: `${base}.pem`, keyFile: `${base}.key` };
  };

  return { folder: dir.path, caFile, ...(await issue(LOCAL)), issue, remove: dir.remove };
}
