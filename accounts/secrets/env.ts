import { secretError } from './errors.ts';

/** @throws AdapterError `auth` where the variable is unset or empty where the hub runs. */
export function readEnv(variable: string, env: NodeJS.ProcessEnv): string {
  const value = env[variable];
  if (value) return value;
  throw secretError(
    'auth',
    `the environment variable ${variable} is not set where the hub runs; set it there and restart the hub (\`imux hub stop\`, then any verb)`,
  );
}
