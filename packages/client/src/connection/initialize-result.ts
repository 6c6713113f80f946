import { isSpecType, type JSONRPCResponse } from '@modelcontextprotocol/client';
import { overloadOf } from '../untrusted/sdk-load.js';

const UNKNOWN = 'unknown';

type Members = Record<string, unknown>;

/**
 * The answer to `initialize` in a form that the SDK's `Client` accepts. The `Client` refuses the whole
 * answer if a member is missing, null or of another type, though a session works without it. A
 * server that names no version accepts the one that it was asked for.
 */
export function usableInitializeAnswer(
  answer: JSONRPCResponse,
  askedVersion: unknown,
): JSONRPCResponse {
  // What is too much to be checked is refused where it is delivered.
  if ('error' in answer || overloadOf(answer.result) !== undefined) return answer;
  if (isSpecType.InitializeResult(answer.result)) return answer;
  const { protocolVersion, capabilities, serverInfo, ...others } = answer.result as Members;
  const { name, version, ...titles } = membersOf(serverInfo);
  const bare = {
    protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : askedVersion,
    capabilities: {},
    serverInfo: { name: textOf(name), version: textOf(version) },
  };
  // Each member is checked alone: beside the others it would be checked once for each of them.
  const isUsable = (members: Members): boolean =>
    isSpecType.InitializeResult({ ...bare, ...members });
  const result: Members = {
    ...bare,
    capabilities: usableMembers(capabilities, formsOf, (said) => isUsable({ capabilities: said })),
    serverInfo: {
      ...bare.serverInfo,
      ...usableMembers(titles, asSaid, (said) =>
        isUsable({ serverInfo: { ...bare.serverInfo, ...said } }),
      ),
    },
    ...usableMembers(others, asSaid, isUsable),
  };
  return { ...answer, result };
}

/** The forms of a capability that may be accepted, the fullest first. */
function formsOf(value: unknown): unknown[] {
  if (value === null || value === undefined || value === false) return [];
  const flags = Object.entries(membersOf(value)).filter(([, flag]) => typeof flag === 'boolean');
  return [value, Object.fromEntries(flags), {}];
}

function asSaid(said: unknown): unknown[] {
  return [said];
}

/** The members of an object, each in the first of its forms that can be used. */
function usableMembers(
  object: unknown,
  forms: (said: unknown) => unknown[],
  isUsable: (member: Members) => boolean,
): Members {
  const usable = Object.entries(membersOf(object)).flatMap(([name, said]) => {
    const form = forms(said).find((each) => isUsable(Object.fromEntries([[name, each]])));
    return form === undefined ? [] : [[name, form] as const];
  });
  return Object.fromEntries(usable);
}

function membersOf(value: unknown): Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : UNKNOWN;
}
