import { specTypeSchemas, type StandardSchemaV1Sync } from '@modelcontextprotocol/client';

/** What an authorization server answers, and the metadata of the MCP server. */
export type DocumentKind = 'resource' | 'authority' | 'openid' | 'registration' | 'tokens';

/** The members of a JSON object. */
export type Members = Record<string, unknown>;

const SCHEMAS: Record<DocumentKind, StandardSchemaV1Sync> = {
  resource: specTypeSchemas.OAuthProtectedResourceMetadata,
  authority: specTypeSchemas.OAuthMetadata,
  openid: specTypeSchemas.OpenIdProviderDiscoveryMetadata,
  registration: specTypeSchemas.OAuthClientInformationFull,
  tokens: specTypeSchemas.OAuthTokens,
};

/** A browser is led to one of them, and secrets go to the others. */
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'registration_endpoint'];

/** What a document is of no use without. Whatever else is wrong in it can be left out. */
const NEEDED: Record<DocumentKind, readonly string[]> = {
  resource: ['resource'],
  authority: ['issuer', 'authorization_endpoint', 'token_endpoint'],
  openid: ['issuer', 'authorization_endpoint', 'token_endpoint'],
  registration: ['client_id'],
  tokens: ['access_token'],
};

/**
 * A document as the SDK takes it. Members that are `null`, empty or malformed count as left out if
 * they are optional; a string is a list where a list belongs, and wrong entries of a list are left
 * out. `defaults` stand for what is left out.
 *
 * @throws Error that names the members without which the document is of no use, and endpoints that
 * are neither http nor https.
 */
export function mendDocument(kind: DocumentKind, document: Members, defaults: Members): Members {
  let mended: Members = { ...defaults, ...withoutEmpty(document) };
  if (Array.isArray(mended['scope'])) mended['scope'] = mended['scope'].join(' ');
  for (const mend of [asList, leftOut]) {
    const wrong = wrongMembers(kind, mended);
    if (wrong.size === 0) break;
    const members = Object.entries(mended).map(([name, value]) => {
      const entries = NEEDED[kind].includes(name) ? undefined : wrong.get(name);
      return [name, entries === undefined ? value : mend(value, entries)];
    });
    mended = { ...defaults, ...withoutEmpty(Object.fromEntries(members) as Members) };
  }
  const wrong = new Set(wrongMembers(kind, mended).keys());
  for (const name of strangeEndpoints(mended)) wrong.add(name);
  if (wrong.size > 0) throw new Error(`missing or wrong: ${[...wrong].join(', ')}`);
  return mended;
}

/** The endpoints that are neither http nor https. */
export function strangeEndpoints(document: Readonly<Members>): string[] {
  return ENDPOINTS.filter((name) => !isWeb(document[name]));
}

/** The members that miss the schema; of a list, which entries. */
function wrongMembers(kind: DocumentKind, document: Members): Map<string, Set<PropertyKey>> {
  const wrong = new Map<string, Set<PropertyKey>>();
  const { issues = [] } = SCHEMAS[kind]['~standard'].validate(document);
  for (const { path = [] } of issues) {
    const [name, entry] = path.map((part) => (typeof part === 'object' ? part.key : part));
    const entries = wrong.get(String(name)) ?? new Set();
    wrong.set(String(name), entry === undefined ? entries : entries.add(entry));
  }
  return wrong;
}

function asList(value: unknown, wrongEntries: ReadonlySet<PropertyKey>): unknown {
  if (typeof value === 'string') return value.split(/\s+/);
  return Array.isArray(value) ? value.filter((_entry, index) => !wrongEntries.has(index)) : value;
}

function leftOut(): undefined {
  return undefined;
}

function withoutEmpty(document: Members): Members {
  return Object.fromEntries(
    Object.entries(document).filter(
      ([, value]) => value !== undefined && value !== null && value !== '' && !isEmptyList(value),
    ),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** What opens other URLs may run a program. */
function isWeb(endpoint: unknown): boolean {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return true;
  return ['http:', 'https:'].includes(new URL(endpoint).protocol);
}
