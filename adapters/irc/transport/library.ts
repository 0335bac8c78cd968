import { EventEmitter } from 'node:events';
import type { ClientOptions, IrcTransport } from 'irc-framework';

/** The ends of the wire that the library holds on to. */
export interface LibraryWire {
  /** What the library reads: whole lines without tags, none of them longer than a line may be. */
  deliver(line: string): void;
  readonly transport: new (options: ClientOptions) => IrcTransport;
}

/**
 * A transport for irc-framework on a connection that is there already. Its own one has no limits, no CA, and keeps
 * what made it throw; here the library only sees lines that our side lets through, each guarded, and writes past the
 * same checks as everybody else.
 */
export function libraryWire(write: (line: string) => void): LibraryWire {
  const lines = new EventEmitter();

  class Transport extends EventEmitter {
    constructor(_options: ClientOptions) {
      super();
    }
    connect(): void {
      lines.on('line', (line: string) => this.emit('line', line));
      this.emit('open');
    }
    writeLine(line: string, written?: () => void): void {
      write(line);
      written?.();
    }
    // The session owns the socket and ends it by itself.
    close(): void {}
    disposeSocket(): void {
      lines.removeAllListeners('line');
    }
    setEncoding(): boolean {
      return true;
    }
  }

  return { deliver: (line) => void lines.emit('line', line), transport: Transport };
}
