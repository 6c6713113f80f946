/** A request by what it asks for. */
export interface AskedFor {
  /** The tool, the prompt, or the URI of a resource. */
  readonly name?: string;
  readonly arguments?: unknown;
}

/** What a request asks for, as the line of a call has it. */
export function askedFor(
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
): AskedFor {
  const { _meta: _, name, uri, arguments: args, ...rest } = params ?? {};
  const target = method.startsWith('resources/') ? uri : name;
  const given = args ?? (Object.keys(rest).length > 0 ? rest : undefined);
  return {
    ...(typeof target === 'string' && { name: target }),
    ...(given !== undefined && { arguments: given }),
  };
}
