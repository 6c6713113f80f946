import { isSpecType, type JSONRPCResponse } from '@modelcontextprotocol/client';

const UNKNOWN = 'unknown';

type Members = Record<string, unknown>;

/**
 * The answer to `initialize` in the form that the SDK's `Client` takes: it refuses the whole of it
 * for any member that is missing, null or of another type, and none of them stands in the way of a
 * session. A server that names no version has not objected to the one that it was asked for.
 */
export function usableInitializeAnswer(
  answer: JSONRPCResponse,
  askedVersion: unknown,
): JSONRPCResponse {
  if ('error' in answer || isSpecType.InitializeResult(answer.result)) return answer;
  const { protocolVersion, capabilities, serverInfo, ...others } = answer.result as Members;
  const { name, version, ...titles } = membersOf(serverInfo);
  const result: Members & { capabilities: Members; serverInfo: Members } = {
    protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : askedVersion,
    capabilities: {},
    serverInfo: { name: textOf(name), version: textOf(version) },
  };
  const isUsable = (): boolean => isSpecType.InitializeResult(result);
  for (const [capability, said] of Object.entries(membersOf(capabilities))) {
    putFirstUsable(result.capabilities, capability, formsOf(said), isUsable);
  }
  for (const [title, said] of Object.entries(titles)) {
    putFirstUsable(result.serverInfo, title, [said], isUsable);
  }
  for (const [member, said] of Object.entries(others)) {
    putFirstUsable(result, member, [said], isUsable);
  }
  return { ...answer, result };
}

/** What a capability can be meant as, the fullest first: one that is said at all is there. */
function formsOf(said: unknown): unknown[] {
  if (said === null || said === undefined || said === false) return [];
  const flags = Object.entries(membersOf(said)).filter(([, flag]) => typeof flag === 'boolean');
  return [said, Object.fromEntries(flags), {}];
}

function putFirstUsable(
  into: Members,
  member: string,
  forms: unknown[],
  isUsable: () => boolean,
): void {
  for (const form of forms) {
    into[member] = form;
    if (isUsable()) return;
    delete into[member];
  }
}

function membersOf(value: unknown): Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : UNKNOWN;
}
