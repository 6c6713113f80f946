/** Whether a name is what a filter says: whole, in any letter case; `*` is any text. */
export function isNamed(pattern: string): (name: string | undefined) => boolean {
  const parts = pattern.toLowerCase().split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return (name) => name?.toLowerCase() === first;
  const last = parts.at(-1) ?? '';
  // Each part is looked for once, behind the one before: nothing is tried twice.
  return (given) => {
    const name = given?.toLowerCase();
    if (name === undefined || !name.startsWith(first)) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
