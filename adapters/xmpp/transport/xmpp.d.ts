/** Types of the @xmpp packages as far as imux uses them; they bring none of their own. */

declare module '@xmpp/xml' {
  export type Node = Element | string | number | null | undefined | boolean | readonly Node[];
  export type Attributes = Record<string, string | number | undefined>;

  export class Element {
    constructor(name: string, attrs?: Attributes | string);
    /** With its prefix. */
    name: string;
    parent: Element | null;
    attrs: Record<string, string | undefined>;
    children: (Element | string)[];
    is(name: string, xmlns?: string): boolean;
    getName(): string;
    getNS(): string | undefined;
    getAttr(name: string, xmlns?: string): string | undefined;
    getChild(name: string, xmlns?: string): Element | undefined;
    getChildren(name: string, xmlns?: string): Element[];
    getChildElements(): Element[];
    getChildText(name: string, xmlns?: string): string | null;
    getText(): string;
    text(): string;
    append(...nodes: (Element | string)[]): void;
    c(name: string, attrs?: Attributes): Element;
    t(text: string): Element;
    cnode(child: Element): Element;
    remove(name: string, xmlns?: string): this;
    remove(child: Element): this;
    toString(): string;
  }

  /** Undefined and null attributes and children are left out. */
  export function xml(name: string, attrs?: Attributes | string, ...children: Node[]): Element;
  export default xml;

  export class XMLError extends Error {}
  /** Without limits or checks: for trusted text only. */
  export class Parser {
    on(event: 'start' | 'element' | 'end', listener: (element: Element) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    write(data: string): void;
    end(data?: string): void;
  }
}

declare module '@xmpp/events' {
  export { EventEmitter } from 'node:events';
  export class TimeoutError extends Error {}
}

declare module '@xmpp/error' {
  import type { Element } from '@xmpp/xml';
  export default class XMPPError extends Error {
    constructor(condition: string, text?: string, application?: Element);
    readonly condition: string;
    readonly text: string | undefined;
    readonly application: Element | undefined;
    static fromElement(element: Element): XMPPError;
  }
}

declare module '@xmpp/sasl' {
  import type { Element } from '@xmpp/xml';
  /** The mechanisms of `saslFactory`, in its order, that the features element offers. */
  export function getAvailableMechanisms(
    element: Element,
    ns: string,
    saslFactory: { readonly _mechs: readonly { readonly name: string }[] },
  ): string[];
}

declare module '@xmpp/sasl/lib/SASLError.js' {
  import XMPPError from '@xmpp/error';
  export default class SASLError extends XMPPError {}
}

declare module '@xmpp/middleware/lib/StanzaError.js' {
  import XMPPError from '@xmpp/error';
  import type { Element } from '@xmpp/xml';
  export default class StanzaError extends XMPPError {
    readonly type: string;
    static override fromElement(element: Element): StanzaError;
  }
}

declare module '@xmpp/connection/lib/StreamError.js' {
  import XMPPError from '@xmpp/error';
  import type { Element } from '@xmpp/xml';
  export default class StreamError extends XMPPError {
    static override fromElement(element: Element): StreamError;
  }
}

declare module '@xmpp/stream-management' {
  import type { Element } from '@xmpp/xml';
  export const NS: string;
  export function makeEnableElement(entity: { sm: { preferredMaximum: number | null } }): Element;
  export function makeResumeElement(entity: { sm: { inbound: number; id: string } }): Element;
}

declare module '@xmpp/jid' {
  export class JID {
    constructor(local: string | null | undefined, domain: string, resource?: string | null);
    readonly local: string;
    readonly domain: string;
    readonly resource: string;
    bare(): JID;
    toString(): string;
  }
  export function parse(text: string): JID;
  export function jid(text: string): JID;
  export default jid;
}

declare module '@xmpp/tcp/lib/Connection.js' {
  import { Client } from '@xmpp/client-core';
  export default class ConnectionTCP extends Client {}
}

declare module '@xmpp/client-core' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';
  import type { JID } from '@xmpp/jid';
  import type { Element } from '@xmpp/xml';

  export interface StreamParser extends EventEmitter {
    write(data: Buffer | string): void;
  }

  export class Client extends EventEmitter {
    constructor(options: { domain: string; lang?: string; timeout?: number });
    jid: JID | null;
    timeout: number;
    status: string;
    socket: Socket | null;
    parser: StreamParser | null;
    root: Element | null;
    transports: unknown[];
    Transport: unknown;
    Parser: new () => StreamParser;
    isSecure(): boolean;
    connect(service: string): Promise<unknown>;
    open(options: { domain: string; lang?: string | undefined }): Promise<Element>;
    restart(): Promise<Element>;
    disconnect(): Promise<unknown>;
    write(text: string): Promise<void>;
    footer(element?: unknown): string;
    _jid(text: string): JID;
    _status(status: string, ...args: unknown[]): void;
    _attachSocket(socket: Socket): void;
    _detachSocket(): void;
    _attachParser(parser: StreamParser): void;
    _detachParser(): void;
    _onData(data: Buffer): void;
    _onElement(element: Element): void;
  }
}
