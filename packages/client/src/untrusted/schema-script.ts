/** A value to check; its schema comes along when the thread does not have it. */
export interface SchemaJob {
  id: number;
  schema?: unknown;
  value: unknown;
}

/** What the thread says of it. */
export type SchemaAnswer =
  | { kind: 'valid' }
  | { kind: 'invalid'; path: string; message: string }
  /** The schema is no longer there: send it along. */
  | { kind: 'unknown' }
  /** The schema cannot be compiled. */
  | { kind: 'unusable'; reason: string };

/** What the thread of the schemas runs: compiles each with an Ajv of its own, and keeps the latest. */
export const SCHEMA_SCRIPT = `
const MAX_KEPT = 20;
const kept = new Map();

const drafts = [
  [/^https?:\\/\\/json-schema\\.org\\/draft\\/2020-12\\/schema#?$/, requireFrom('#ajv-2020').Ajv2020],
  [/^https?:\\/\\/json-schema\\.org\\/draft\\/2019-09\\/schema#?$/, requireFrom('#ajv-2019').Ajv2019],
  [/^https?:\\/\\/json-schema\\.org\\/draft-0[67]\\/schema#?$/, requireFrom('#ajv-07').Ajv],
  [/^https?:\\/\\/json-schema\\.org\\/draft-04\\/schema#?$/, requireFrom('#ajv-04').default],
];

function compile(schema) {
  const isNamed = typeof schema?.$schema === 'string';
  const named = isNamed ? schema.$schema : 'https://json-schema.org/draft/2020-12/schema';
  const [, Ajv] = drafts.find(([uri]) => uri.test(named)) ?? [];
  if (Ajv === undefined) throw new Error('its $schema is unknown: ' + named.slice(0, 200));
  const ajv = new Ajv({
    strict: false,
    validateSchema: false,
    validateFormats: false,
    ownProperties: true,
    logger: false,
  });
  return ajv.compile(schema);
}

answer = (job) => {
  const { id, value } = job;
  let check = kept.get(id);
  if ('schema' in job) {
    try {
      check = compile(job.schema);
    } catch (error) {
      return { kind: 'unusable', reason: String(error?.message ?? error).slice(0, 300) };
    }
  }
  if (check === undefined) return { kind: 'unknown' };
  kept.delete(id);
  kept.set(id, check);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value);
  if (check(value)) return { kind: 'valid' };
  const [{ instancePath = '', message = 'does not fit' } = {}] = check.errors ?? [];
  return {
    kind: 'invalid',
    path: instancePath.slice(1, 500),
    message: message.slice(0, 500),
  };
};
`;
