import { type Element, xml } from '@xmpp/xml';
import type { Wire } from './wire.ts';
import { child, elements, NS } from './xml.ts';

const timeoutMs = 10_000;

/** The items of a node that the account's devices share (XEP-0163). @throws AdapterError where the server keeps none. */
export async function fetchItems(wire: Wire, node: string): Promise<readonly Element[]> {
  const reply = await wire.get(undefined, xml('pubsub', { xmlns: NS.pubsub }, xml('items', { node })), { timeoutMs });
  const list = child(reply, 'pubsub', NS.pubsub);
  return (list ? elements(list) : []).flatMap((items) => elements(items));
}

/** Keeps an item for the account's own devices: nobody else may read it, none is forgotten (XEP-0402 4.2, XEP-0490 4). */
export async function publishPrivate(wire: Wire, node: string, id: string, payload: Element): Promise<void> {
  const publish = xml('publish', { node }, xml('item', { id }, payload));
  await wire.set(undefined, xml('pubsub', { xmlns: NS.pubsub }, publish, options()), { timeoutMs });
}

function options(): Element {
  const fields = {
    'pubsub#persist_items': 'true',
    'pubsub#max_items': 'max',
    'pubsub#send_last_published_item': 'never',
    'pubsub#access_model': 'whitelist',
  };
  const form = [
    xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, NS.publishOptions)),
    ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value))),
  ];
  return xml('publish-options', {}, xml('x', { xmlns: NS.data, type: 'submit' }, ...form));
}
