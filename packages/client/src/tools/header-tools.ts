import type { JSONRPCResponse } from '@modelcontextprotocol/client';

const KEYWORD = 'x-mcp-header';
/** `token` of RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PERMITTED_TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
/** Keywords below which a header may not be asked for. */
const UNREACHABLE = [
  'items',
  'prefixItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
  'patternProperties',
  'dependentSchemas',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
  '$defs',
  'definitions',
];
/** Of those, the ones whose value holds schemas by name. */
const BY_NAME: ReadonlySet<string> = new Set([
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
]);

/** Whether a tool asks for headers, rightly or wrongly. */
export function asksForHeaders(inputSchema: unknown): boolean {
  return JSON.stringify(inputSchema ?? null).includes(`"${KEYWORD}"`);
}

/**
 * Whether a tool asks for headers by the rules: by name, of single values, at properties alone, and
 * for no header twice. One that asks for none does.
 *
 * "Clients MUST exclude the tool from the result of tools/list."
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
export function asksRightly(inputSchema: unknown): boolean {
  const names = new Set<string>();
  const isRight = (schema: unknown, isReachable: boolean, isRoot: boolean): boolean => {
    if (!isAnyObject(schema)) return true;
    if (KEYWORD in schema) {
      const name = schema[KEYWORD];
      if (!isReachable || isRoot || typeof name !== 'string' || !TOKEN.test(name)) return false;
      if (!PERMITTED_TYPES.has(schema['type']) || names.has(name.toLowerCase())) return false;
      names.add(name.toLowerCase());
    }
    const { properties } = schema;
    const children = isAnyObject(properties) ? Object.values(properties) : [];
    if (!children.every((child) => isRight(child, isReachable, false))) return false;
    return UNREACHABLE.flatMap((keyword) => schemasOf(schema[keyword], BY_NAME.has(keyword))).every(
      (child) => isRight(child, false, false),
    );
  };
  return isRight(inputSchema, true, true);
}

/**
 * A page of tools without those that ask for headers wrongly. The SDK's `Client` leaves these out, too,
 * but writes their names to the terminal.
 */
export function withoutWrongHeaderTools<Answer extends JSONRPCResponse>(answer: Answer): Answer {
  if (!('result' in answer)) return answer;
  const { tools } = answer.result;
  if (!Array.isArray(tools)) return answer;
  const right = tools.filter(
    (tool: unknown) => !isAnyObject(tool) || asksRightly(tool['inputSchema']),
  );
  if (right.length === tools.length) return answer;
  return { ...answer, result: { ...answer.result, tools: right } };
}

function schemasOf(value: unknown, isByName: boolean): unknown[] {
  if (Array.isArray(value)) return value;
  return isByName && isAnyObject(value) ? Object.values(value) : [value];
}

/** A list, too: the SDK looks into it as into any object. */
function isAnyObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
