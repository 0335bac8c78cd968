import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NS } from '../../adapters/xmpp/xml.ts';
import { botApi, supported, xeps } from './supported.ts';

const root = new URL('../../', import.meta.url).pathname;
const sources = (folder: string): string =>
  globSync(`${root}${folder}/**/*.ts`)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');

describe('docs/supported.md', () => {
  it('is what npm run docs makes', async () => {
    expect(readFileSync(`${root}docs/supported.md`, 'utf8')).toBe(await supported());
  });

  it('names every XEP whose namespace the code has, and none that it has not', () => {
    const code = sources('adapters/xmpp');
    const named = xeps.flatMap(([, , , found]) => found);
    // Those of the RFCs.
    const plain = ['jabber:client', 'jabber:iq:roster', 'urn:ietf:params:xml:ns:xmpp-stanzas'];
    expect([...named, ...plain]).toEqual(expect.arrayContaining(Object.values(NS)));
    expect(named.filter((text) => !code.includes(text))).toEqual([]);
  });

  it('names methods of the Bot API that the code calls', () => {
    const code = sources('adapters/telegram');
    const methods = botApi.flatMap(([, names]) => names);
    expect(methods.filter((name) => !code.includes(`.${name}(`) && !code.includes(`'${name}'`))).toEqual([]);
  });
});
