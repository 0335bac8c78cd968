import { AdapterError, type ErrorCode } from '../../adapters/errors.ts';

const OTHER_WAYS =
  'or keep the secret elsewhere with --secret-file (an encrypted file), --secret-command (such as `pass show chat`) or --secret-env';

/**
 * What went wrong with a secret, with what to do about it; the text never holds the secret.
 * `auth`: nothing will change until the person does something. `unreachable`: it may pass by itself.
 */
export function secretError(code: ErrorCode, text: string, cause?: unknown): AdapterError {
  return new AdapterError(code, text, cause === undefined ? {} : { cause });
}

/** The keychain library tells its troubles only in words; these are the ones seen on Linux, macOS and Windows. */
export function keychainError(cause: unknown): AdapterError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/dismissed|IsLocked|is locked|locked collection|User canceled|interaction is not allowed/i.test(text)) {
    return secretError(
      'auth',
      `the keychain is locked and was not unlocked; unlock it (log in to the desktop, or \`gnome-keyring-daemon --unlock\`) and connect again, ${OTHER_WAYS}`,
      cause,
    );
  }
  if (
    /ServiceUnknown|not provided by any \.service|NameHasNoOwner|not activatable|Spawn\.|no default store/i.test(text)
  ) {
    return secretError(
      'unreachable',
      `no keychain runs in this session (no Secret Service on its D-Bus); start one such as gnome-keyring, KWallet or KeePassXC, ${OTHER_WAYS}`,
      cause,
    );
  }
  if (/did not receive a reply|NoReply|timed? ?out/i.test(text)) return keychainSilent(cause);
  if (/DBUS_SESSION_BUS_ADDRESS|D-?Bus error|Failed to connect|zbus error/i.test(text)) {
    return secretError(
      'unreachable',
      `the keychain cannot be reached: no D-Bus session here; start imux within the desktop session (or \`dbus-run-session\`), ${OTHER_WAYS}`,
      cause,
    );
  }
  return secretError('unreachable', `the keychain failed: ${text.split('\n', 1)[0]}; try again, ${OTHER_WAYS}`, cause);
}

export function keychainSilent(cause?: unknown): AdapterError {
  return secretError(
    'unreachable',
    `the keychain does not answer; it may be waiting for its password in a window of its own: answer it and connect again, ${OTHER_WAYS}`,
    cause,
  );
}
