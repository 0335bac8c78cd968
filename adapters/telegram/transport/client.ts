import { Telegram } from 'telegraf';
import type { Telegram as Methods, Opts } from 'telegraf/types';
import type { Clock, Upload } from '../../contract.ts';
import { AdapterError } from '../../errors.ts';
import { faultOf } from './faults.ts';
import { type Json, object } from './json.ts';
import { multipart } from './multipart.ts';
import { scrubber } from './token.ts';
import { type Body, type Reply, type Wire, wire } from './wire.ts';

/** Milliseconds an ordinary call may take. */
const CALL_DEADLINE = 30_000;
/** Milliseconds between two steps of a file on its way. */
const FILE_DEADLINE = 60_000;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly deadline?: number;
}

/**
 * telegraf's typed Bot API client on a wire of our own: its fetch follows redirects with the token in the address, lets
 * the token into error texts, reads answers of any size and cannot tell a call that never left from one that may have
 * had an effect. Every failure is an AdapterError without the token.
 */
export class BotApi extends Telegram {
  readonly #root: URL;
  readonly #wire: Wire;
  readonly scrub: (text: string) => string;

  constructor(token: string, root: URL, clock: Clock) {
    super(token, { apiRoot: root.href, webhookReply: false });
    this.#root = root;
    this.#wire = wire(root, clock);
    this.scrub = scrubber(token);
  }

  /** telegraf's methods all come through here. */
  override async callApi<M extends keyof Methods>(method: M, payload: Opts<M>): Promise<ReturnType<Methods[M]>> {
    return await this.invoke(method, payload);
  }

  /** The same with a signal of today; telegraf asks for one of another library. */
  async invoke<M extends keyof Methods>(
    method: M,
    payload: Opts<M>,
    options: CallOptions = {},
  ): Promise<ReturnType<Methods[M]>> {
    // The one place where the server's word is taken for telegraf's types; what matters is checked where it is used.
    return (await this.call(method, payload, options)) as ReturnType<Methods[M]>;
  }

  /** For methods and fields newer than telegraf, which knows the Bot API up to 7.1. */
  async call(method: string, payload: object, options: CallOptions = {}): Promise<unknown> {
    const data = Buffer.from(JSON.stringify(payload));
    return await this.#post(method, { type: 'application/json', bytes: data.length, data }, CALL_DEADLINE, options);
  }

  async upload(
    method: string,
    fields: Readonly<Record<string, string>>,
    part: string,
    file: Upload,
    options: CallOptions = {},
  ): Promise<unknown> {
    return await this.#post(method, multipart(fields, part, file), deadlineFor(file.bytes), options);
  }

  /** Bytes of a file by the `file_path` of getFile, which has been checked. */
  async *download(path: string): AsyncIterable<Uint8Array> {
    const url = this.#url(`file/bot${this.token}/${path.split('/').map(encodeURIComponent).join('/')}`);
    const { status, bytes } = await this.#wire.get(url, { deadline: FILE_DEADLINE });
    if (status === 404) throw new AdapterError('not-found', 'Telegram no longer has that file');
    if (status !== 200) throw new AdapterError('unreachable', `the file did not come: HTTP ${status}`);
    yield* bytes;
  }

  /** Ends all calls under way. (`close` is a method of the Bot API.) */
  disconnect(): void {
    this.#wire.close();
  }

  async #post(method: string, body: Body, deadline: number, options: CallOptions): Promise<unknown> {
    const reply = await this.#wire.post(this.#url(`bot${this.token}/${method}`), body, { deadline, ...options });
    const answer = this.#answer(reply);
    if (answer.ok === true) return answer.result;
    throw faultOf(answer, reply.status, this.scrub);
  }

  #answer(reply: Reply): Json {
    if (reply.status >= 300 && reply.status < 400)
      throw new AdapterError('unreachable', `${this.#root.host} sends us elsewhere, which is refused: ${PORTAL}`);
    const body = reply.body.toString();
    const answer = object(parse(body));
    if (typeof answer?.ok === 'boolean') return answer;
    if (reply.status >= 500)
      throw new AdapterError('unreachable', `Telegram is out of order just now (HTTP ${reply.status})`, {
        certain: false,
      });
    if (/^\s*</.test(body))
      throw new AdapterError('unreachable', `a web page answered for ${this.#root.host}: ${PORTAL}`);
    throw new AdapterError('protocol', `what answers at ${this.#root.host} is no Bot API server`, { certain: false });
  }

  #url(path: string): URL {
    const base = this.#root.pathname.endsWith('/') ? this.#root.pathname : `${this.#root.pathname}/`;
    return new URL(`${this.#root.origin}${base}${path}`);
  }
}

const PORTAL = 'perhaps the sign-in page of the network you are on';

/** An upload has to move at 16 kB a second or more. */
function deadlineFor(bytes: number): number {
  return FILE_DEADLINE + bytes / 16;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
