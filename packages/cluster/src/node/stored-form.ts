/**
 * The form of what is kept in Redis, and of what workers and nodes tell each other there. It is raised by a version
 * that writes what the one before cannot read: a field that the older one may ignore needs no new form.
 *
 * Such a version reads both, and writes the one that is in use (`Members.form`), as long as somebody is there who
 * knows no other. See docs/decisions/0035-stored-form.md.
 */
export interface KnownForms {
  /** What this version writes once everybody can read it. */
  readonly newest: number;
  /** What it still reads. */
  readonly oldest: number;
}

/** What this version knows. */
export const FORMS: KnownForms = { newest: 1, oldest: 1 };
