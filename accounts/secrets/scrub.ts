import { AdapterError } from '../../adapters/errors.ts';

/** Takes what a session was handed as secrets out of whatever it says: libraries put tokens into their error texts. */
export interface Scrubber {
  learn(secret: string): void;
  text(text: string): string;
  /** The same error where it holds no secret; else one without its cause. */
  error(error: AdapterError): AdapterError;
}

export function createScrubber(): Scrubber {
  const forms = new Set<string>();
  const text = (said: string): string => {
    let clean = said;
    for (const form of forms) clean = clean.replaceAll(form, '•••');
    return clean;
  };
  return {
    learn(secret) {
      // A word of three letters stands in any text.
      if (secret.length < 4) return;
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) forms.add(form);
    },
    text,
    error(error) {
      const clean = text(error.message);
      if (clean === error.message && !holds(error.cause, text)) return error;
      return new AdapterError(error.code, clean, {
        certain: error.certain,
        ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      });
    },
  };
}

function holds(cause: unknown, text: (said: string) => string): boolean {
  for (let inner = cause, depth = 0; inner !== undefined && depth < 8; depth++) {
    const said = inner instanceof Error ? `${inner.message}\n${inner.stack}` : String(inner);
    if (text(said) !== said) return true;
    inner = inner instanceof Error ? inner.cause : undefined;
  }
  return false;
}
