import { createHash } from 'node:crypto';
import { type Element, xml } from '@xmpp/xml';
import { asAdapterError } from '../errors.ts';
import type { Wire } from './wire.ts';
import { child, elements, NS } from './xml.ts';

/** What an address is and can do (XEP-0030). */
export interface Info {
  readonly identities: readonly { readonly category: string; readonly type: string; readonly name: string }[];
  readonly features: ReadonlySet<string>;
  /** Fields of the forms that extend it (XEP-0128). */
  readonly fields: ReadonlyMap<string, string>;
}

export interface Disco {
  /** Asked once a connection for each address. @throws AdapterError */
  info(jid: string): Promise<Info>;
  /** The first service of the own server, or the server itself, of which this is true. */
  service(wanted: (info: Info) => boolean): Promise<{ readonly jid: string; readonly info: Info } | undefined>;
}

const timeoutMs = 10_000;

export function disco(wire: Wire): Disco {
  const infos = new Map<string, Promise<Info>>();
  const info = (jid: string): Promise<Info> => {
    const asked = infos.get(jid);
    if (asked) return asked;
    const answer = wire.get(jid, xml('query', { xmlns: NS.discoInfo }), { timeoutMs }).then(readInfo);
    infos.set(jid, answer);
    // A server that did not answer now may do so the next time.
    answer.catch(() => infos.delete(jid));
    return answer;
  };
  let listed: Promise<readonly string[]> | undefined;
  const list = async (): Promise<readonly string[]> => {
    const reply = await wire.get(wire.domain, xml('query', { xmlns: NS.discoItems }), { timeoutMs });
    const query = child(reply, 'query', NS.discoItems);
    const all = query ? elements(query).map((item) => (item.attrs.node ? undefined : item.attrs.jid)) : [];
    return all.filter((jid): jid is string => jid !== undefined).slice(0, 50);
  };
  return {
    info,
    async service(wanted) {
      listed ??= list();
      listed.catch(() => {
        listed = undefined;
      });
      const jids = [wire.domain, ...(await listed)];
      const found = await Promise.all(
        jids.map(async (jid) => {
          try {
            return { jid, info: await info(jid) };
          } catch {
            return undefined;
          }
        }),
      );
      return found.find((one) => one !== undefined && wanted(one.info));
    },
  };
}

export function readInfo(reply: Element): Info {
  const query = child(reply, 'query', NS.discoInfo);
  const parts = query ? elements(query) : [];
  const fields = new Map<string, string>();
  for (const form of parts.filter((part) => part.is('x', NS.data))) {
    for (const field of elements(form)) {
      const value = elements(field)[0]?.getText();
      if (field.attrs.var && value !== undefined) fields.set(field.attrs.var, value);
    }
  }
  return {
    identities: parts
      .filter((part) => part.getName() === 'identity')
      .map(({ attrs }) => ({ category: attrs.category ?? '', type: attrs.type ?? '', name: attrs.name ?? '' })),
    features: new Set(
      parts.flatMap((part) => (part.getName() === 'feature' && part.attrs.var ? [part.attrs.var] : [])),
    ),
    fields,
  };
}

export const isRoomService = (info: Info): boolean =>
  info.identities.some(({ category }) => category === 'conference') && info.features.has(NS.muc);

const identity = { category: 'client', type: 'console', name: 'imux' };
const features: readonly string[] = [
  NS.caps,
  NS.discoInfo,
  NS.muc,
  NS.conference,
  NS.chatStates,
  NS.receipts,
  NS.markers,
  NS.correct,
  NS.retract,
  NS.reactions,
  NS.reply,
  NS.fallback,
  NS.sid,
  NS.oob,
  NS.ping,
  NS.time,
  NS.version,
  NS.last,
  // XEP-0490: our server tells us what the account's other devices have read.
  `${NS.displayed}+notify`,
].toSorted();
const node = 'urn:x-imux:client';

/** XEP-0115 5.1: what our features hash to. */
export const capsHash = createHash('sha1')
  .update(
    `${identity.category}/${identity.type}//${identity.name}<${features.map((feature) => `${feature}<`).join('')}`,
  )
  .digest('base64');

export const caps = (): Element => xml('c', { xmlns: NS.caps, hash: 'sha-1', node, ver: capsHash });

/** Our own answer; undefined for a node that we do not have. */
export function ownInfo(asked: string | undefined): Element | undefined {
  if (asked !== undefined && asked !== `${node}#${capsHash}`) return undefined;
  const parts = features.map((feature) => xml('feature', { var: feature }));
  return xml('query', { xmlns: NS.discoInfo, node: asked }, xml('identity', identity), ...parts);
}

/** Which foreign network a domain leads to (a gateway, XEP-0100); asked once, ever, and remembered. */
export interface Gateways {
  via(domain: string): string | undefined;
  /** Asks those that are not known yet; `learned` is called for each that is a gateway. */
  explore(domains: Iterable<string>, learned: (domain: string) => void): Promise<void>;
}

const kept = 'gateways';
const mostDomains = 50;

export function gateways(wire: Wire, services: Disco): Gateways {
  const known = new Map<string, string>(readKnown(wire.host.memory.get(kept)));
  return {
    via: (domain) => known.get(domain) || undefined,
    async explore(domains, learned) {
      const unknown = [...new Set(domains)].filter((one) => one !== wire.domain && !known.has(one));
      for (const domain of unknown.slice(0, mostDomains)) {
        if (wire.ended.aborted) return;
        try {
          const gateway = (await services.info(domain)).identities.find(({ category }) => category === 'gateway');
          known.set(domain, gateway?.type ?? '');
          if (gateway?.type) learned(domain);
        } catch (error) {
          // A definite no is remembered as well; silence is asked again the next time.
          if (asAdapterError(error).code !== 'unreachable') known.set(domain, '');
        }
      }
      if (unknown.length > 0) wire.host.memory.set(kept, JSON.stringify([...known]));
    },
  };
}

function readKnown(text: string | undefined): [string, string][] {
  try {
    const all: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(all)
      ? all.filter((pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2)
      : [];
  } catch {
    return [];
  }
}
