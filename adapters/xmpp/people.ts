import { type Element, xml } from '@xmpp/xml';
import type { Contact, Profile } from '../contract.ts';
import { AdapterError } from '../errors.ts';
import type { Disco } from './disco.ts';
import { bare, local } from './jid.ts';
import { chatId, userId, type Wire } from './wire.ts';
import { child, childText, elements, NS } from './xml.ts';

/** Fields of a profile, and where a vCard has them (XEP-0054). */
const paths: Readonly<Record<string, readonly string[]>> = {
  name: ['FN'],
  nickname: ['NICKNAME'],
  birthday: ['BDAY'],
  url: ['URL'],
  email: ['EMAIL', 'USERID'],
  phone: ['TEL', 'NUMBER'],
  organisation: ['ORG', 'ORGNAME'],
  title: ['TITLE'],
  role: ['ROLE'],
  city: ['ADR', 'LOCALITY'],
  country: ['ADR', 'CTRY'],
  about: ['DESC'],
};

/** Undefined leaves `to` out: our own. @throws AdapterError `not-found` where there is none. */
export async function readProfile(wire: Wire, jid: string | undefined): Promise<Profile> {
  const reply = await wire.get(jid, xml('vCard', { xmlns: NS.vcard }));
  const card = child(reply, 'vCard', NS.vcard);
  const profile: Record<string, string> = {};
  for (const [field, path] of Object.entries(paths)) {
    const value = card && path.reduce<Element | undefined>(step, card)?.getText().trim();
    if (value) profile[field] = value;
  }
  return profile;
}

const step = (at: Element | undefined, name: string): Element | undefined =>
  at && elements(at).find((node) => node.getName() === name);

/** Keeps what the card has beyond our fields, such as a picture. */
export async function writeProfile(wire: Wire, profile: Profile): Promise<void> {
  const unknown = Object.keys(profile).find((field) => !Object.hasOwn(paths, field));
  if (unknown)
    throw new AdapterError('unsupported', `a profile has no "${unknown}"; it has ${Object.keys(paths).join(', ')}`);
  const reply = await wire.get(undefined, xml('vCard', { xmlns: NS.vcard })).catch(() => undefined);
  const before = reply && child(reply, 'vCard', NS.vcard);
  const ours = new Set(Object.values(paths).map(([top]) => top));
  const kept = before ? elements(before).filter((node) => !ours.has(node.getName())) : [];
  const parts = new Map<string, Element>();
  for (const [field, path] of Object.entries(paths)) {
    const value = profile[field];
    const [top = '', inner] = path;
    if (!value) continue;
    const part = parts.get(top) ?? xml(top, {});
    parts.set(top, part);
    if (inner) part.append(xml(inner, {}, value));
    else part.append(value);
  }
  await wire.set(undefined, xml('vCard', { xmlns: NS.vcard }, ...kept, ...parts.values()));
}

/** Asks the server's directory (XEP-0055). */
export async function searchPeople(wire: Wire, services: Disco, query: string): Promise<readonly Contact[]> {
  const service = await services.service((info) => info.features.has(NS.search));
  if (!service) throw new AdapterError('unsupported', `${wire.domain} has no directory of people`);
  const offered = child(await wire.get(service.jid, xml('query', { xmlns: NS.search })), 'query', NS.search);
  const form = offered && child(offered, 'x', NS.data);
  const names = (
    form
      ? elements(form).map((field) => field.attrs.var)
      : offered
        ? elements(offered).map((node) => node.getName())
        : []
  )
    .filter((name): name is string => name !== undefined && /nick|first|last|fn|name|user|search/i.test(name))
    .filter((name) => name !== 'FORM_TYPE');
  // Each field by itself: services combine several by "and".
  const answers = await Promise.all(
    names
      .slice(0, 6)
      .map((name) => wire.set(service.jid, searchFor(name, query, form !== undefined)).catch(() => undefined)),
  );
  const found = new Map<string, Contact>();
  for (const answer of answers) {
    const results = answer && child(answer, 'query', NS.search);
    for (const contact of results ? readFound(results) : []) found.set(contact.address, contact);
  }
  return [...found.values()];
}

function searchFor(field: string, query: string, asForm: boolean): Element {
  if (!asForm) return xml('query', { xmlns: NS.search }, xml(field, {}, query));
  const fields = { FORM_TYPE: NS.search, [field]: query };
  const parts = Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value)));
  return xml('query', { xmlns: NS.search }, xml('x', { xmlns: NS.data, type: 'submit' }, ...parts));
}

function readFound(results: Element): Contact[] {
  const form = child(results, 'x', NS.data);
  const rows = elements(form ?? results).filter((node) => node.getName() === 'item');
  return rows.flatMap((row) => {
    const value = (name: string): string | undefined => {
      if (!form) return childText(row, name);
      const field = elements(row).find((one) => one.attrs.var?.toLowerCase() === name);
      return field && childText(field, 'value');
    };
    const address = row.attrs.jid ?? value('jid');
    if (!address) return [];
    const jid = bare(address);
    const full = [value('first') ?? value('given'), value('last') ?? value('family')].filter(Boolean).join(' ');
    const name = value('fn') || value('nick') || value('nickname') || full || local(jid) || jid;
    return [{ id: userId(jid), chat: chatId(jid), address: jid, name, groups: [] }];
  });
}
