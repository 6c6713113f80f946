/**
 * What the suite demands of a client and of a server, by the revision of the specification that
 * demands it: the `requirements/` of the suite, and the two scenarios of clients that only a server
 * of 2025-03-26 needs.
 */

/**
 * @typedef {'client' | 'server'} Role what is looked at
 *
 * @typedef {object} Run
 * @property {Role} role
 * @property {string} scenario
 * @property {string} specVersion the revision that the suite speaks
 * @property {boolean} required
 */

const AUTHORIZATION = [
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
];

/** What both revisions ask of a server. */
const SERVER = [
  'completion-complete',
  'tools-list',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'server-sse-multiple-streams',
  'resources-list',
  'resources-read-text',
  'resources-read-binary',
  'resources-templates-read',
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
  'dns-rebinding-protection',
];

/** @type {Readonly<Record<string, readonly string[]>>} */
const CLIENT_REQUIREMENTS = {
  '2025-03-26': [
    'auth/2025-03-26-oauth-metadata-backcompat',
    'auth/2025-03-26-oauth-endpoint-fallback',
  ],
  '2025-11-25': [
    'initialize',
    'tools_call',
    'elicitation-sep1034-client-defaults',
    'sse-retry',
    ...AUTHORIZATION,
  ],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    ...AUTHORIZATION,
    'auth/resource-mismatch',
    'auth/offline-access-scope',
    'auth/offline-access-not-supported',
    'auth/authorization-server-migration',
    'auth/iss-supported',
    'auth/iss-not-advertised',
    'auth/iss-supported-missing',
    'auth/iss-wrong-issuer',
    'auth/iss-unexpected',
    'auth/iss-normalized',
    'auth/metadata-issuer-mismatch',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ],
};

/** @type {Readonly<Record<string, readonly string[]>>} */
const SERVER_REQUIREMENTS = {
  '2025-11-25': [
    'server-initialize',
    'logging-set-level',
    'ping',
    'tools-call-with-logging',
    'tools-call-sampling',
    'tools-call-elicitation',
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
    'resources-subscribe',
    'resources-unsubscribe',
    ...SERVER,
  ],
  '2026-07-28': [
    'server-stateless',
    'sep-2164-resource-not-found',
    'caching',
    'input-required-result-basic-elicitation',
    'input-required-result-basic-sampling',
    'input-required-result-basic-list-roots',
    'input-required-result-request-state',
    'input-required-result-multiple-input-requests',
    'input-required-result-multi-round',
    'input-required-result-missing-input-response',
    'input-required-result-non-tool-request',
    'input-required-result-result-type',
    'input-required-result-unsupported-methods',
    'input-required-result-tampered-state',
    'input-required-result-capability-check',
    'input-required-result-ignore-extra-params',
    'input-required-result-validate-input',
    ...SERVER,
  ],
};

/**
 * Scenarios by the revision that requires them.
 *
 * @type {Readonly<Record<Role, Readonly<Record<string, readonly string[]>>>>}
 */
export const REQUIREMENTS = { client: CLIENT_REQUIREMENTS, server: SERVER_REQUIREMENTS };

/** Each requirement of a role with its revision. @param {Role} role @returns {Run[]} */
export function requiredRuns(role) {
  return Object.entries(REQUIREMENTS[role]).flatMap(([specVersion, scenarios]) =>
    scenarios.map((scenario) => ({ role, scenario, specVersion, required: true })),
  );
}
