import type {
  AccountView,
  Change,
  ContactView,
  ConversationKey,
  MessageView,
  Receipt,
  RequestView,
} from '../link/messages.ts';

/** Version of the objects below: it changes only if a field changes its meaning. */
const V = 1;

/** One object as one line: what a terminal could act on (C1, bidi, line separators) stands escaped as well. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function accountJson(view: AccountView): object {
  const { account, network, id, state, error, enabled, retryAt } = view;
  return {
    v: V,
    type: 'account',
    account,
    network,
    id,
    state,
    ...(error && { error }),
    ...(retryAt && { retryAt }),
    enabled,
  };
}

export function contactJson(view: ContactView): object {
  const { account, network, id, target, name, kind, groups, presence, status, unread, via, listed } = view;
  return {
    v: V,
    type: 'contact',
    account,
    network,
    id,
    target,
    name,
    kind,
    groups,
    presence,
    ...(status !== undefined && { status }),
    unread,
    ...(via && { via }),
    listed,
  };
}

export function chatJson(view: ContactView): object {
  return { ...contactJson(view), type: 'chat', mentions: view.mentions, ...(view.last && { last: view.last }) };
}

export function messageJson(view: MessageView): object {
  const { id, account, network, target, kind, from, at, text, state, replyTo, edited, retracted, files, style } = view;
  const { error, key } = view;
  return {
    v: V,
    type: 'message',
    id,
    account,
    network,
    target,
    kind,
    from,
    at,
    text,
    ...(state && { state }),
    ...(error && { error }),
    ...(key !== undefined && { key }),
    ...(replyTo && { replyTo }),
    ...(edited && { edited }),
    ...(retracted && { retracted }),
    ...(files?.length && { files }),
    ...(style && { style }),
  };
}

export function receiptJson(receipt: Receipt): object {
  return { v: V, type: 'receipt', ...receipt };
}

function requestJson({ id, account, kind, from, text }: RequestView): object {
  return { v: V, type: 'request', id, account, kind, from, ...(text !== undefined && { text }) };
}

/** A change as `watch --json` shows it; undefined for what concerns only screens. */
export function changeJson(
  change: Change,
  target: (key: ConversationKey) => ContactView | undefined,
): object | undefined {
  switch (change.type) {
    case 'message':
      // What a network's archive brings was no news when it came.
      return { ...messageJson(change.message), ...(change.live ? {} : { live: false }) };
    case 'message-changed':
      return changedJson(change);
    case 'account':
      return accountJson(change.account);
    case 'presence': {
      const contact = target(change.conversation);
      if (!contact) return undefined;
      const { account, network, target: to } = contact;
      return {
        v: V,
        type: 'presence',
        account,
        network,
        target: to,
        presence: change.presence,
        ...(change.status && { status: change.status }),
      };
    }
    case 'typing': {
      const contact = target(change.conversation);
      if (!contact) return undefined;
      const { account, network, target: to } = contact;
      return { v: V, type: 'typing', account, network, target: to, name: change.name, active: change.active };
    }
    case 'request':
      return requestJson(change.request);
    case 'account-removed':
    case 'contact':
    case 'contact-removed':
    case 'unread':
    case 'members':
    case 'member':
    case 'request-done':
    case 'prompt':
    case 'prompt-done':
    case 'notice':
      return undefined;
  }
}

function changedJson({ message, what }: Extract<Change, { type: 'message-changed' }>): object {
  const { id, account, network, target, state, error, reactions, text, key } = message;
  const head = { v: V, account, network, target, id };
  switch (what) {
    case 'state':
      return { ...head, type: 'receipt', state, ...(key && { key }), ...(error && { error }) };
    case 'edited':
      return { ...head, type: 'edited', text };
    case 'retracted':
      return { ...head, type: 'retracted' };
    case 'reactions':
      return { ...head, type: 'reactions', reactions: reactions ?? {} };
  }
}
