import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export const schema = JSON.parse(
  readFileSync(new URL('../../docs/schema/imux-1.schema.json', import.meta.url), 'utf8'),
) as { readonly oneOf: readonly { readonly $ref: string }[]; readonly $defs: Readonly<Record<string, Json>> };

/** The kinds of line that the schema names. */
export const types: readonly string[] = schema.oneOf.map(({ $ref }) => $ref.replace('#/$defs/', ''));

const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function compile(whole: object, type: string): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': date } });
  const id = 'https://imux.invalid/test';
  ajv.addSchema({ ...whole, $id: id });
  return ajv.compile({ $ref: `${id}#/$defs/${type}` });
}

/** The same schema, but a field that it does not name is an error: what imux prints must stand in it. */
const strict = closed(schema as unknown as Json) as object;

function closed(part: Json): Json {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const inner = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  return 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

/** What is wrong with a line that imux printed; undefined where nothing is. `grown`: fields of a later imux may be there. */
export function wrongLine(line: string, grown = false): string | undefined {
  const value = JSON.parse(line) as { readonly type?: string };
  const type = value.type ?? '';
  if (!types.includes(type)) return `the schema has no type "${type}"`;
  const validate = compile(grown ? schema : strict, type);
  if (validate(value)) return undefined;
  return (validate.errors ?? []).map((error) => `${type}${error.instancePath} ${error.message}`).join('; ');
}
