/**
 * Imports a package that only some programs need.
 *
 * @throws Error that says how to install it.
 */
export async function loadPeer<Peer>(
  name: string,
  option: string,
  load: () => Promise<Peer>,
): Promise<Peer> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    throw new Error(`${option} needs ${name}: install it with npm install ${name}`, { cause });
  }
}
