import { useSignal } from '@preact/signals';
import { isCut } from '@longwire/recording';
import { formatBytes, prettyJson } from '@longwire/recording/shown';
import { visibleLine, visibleText, MAX_TEXT } from '../format/visible.js';

/** A server's text on one line; the whole of it, within bounds, in its title. */
export function Line({ text, maxLength = 200 }: { text: string; maxLength?: number }) {
  const line = visibleLine(text, maxLength);
  return <span title={visibleLine(text, 1000)}>{line}</span>;
}

/** A server's text of many lines: its beginning, and all of it when somebody asks. */
export function LongText({ text, label }: { text: string; label: string }) {
  const isWhole = useSignal(false);
  const shown = isWhole.value ? text : text.slice(0, MAX_TEXT);
  return (
    <>
      <pre class="long-text" tabIndex={0} role="region" aria-label={label}>
        {visibleText(shown)}
      </pre>
      {shown.length < text.length && (
        <button type="button" onClick={() => (isWhole.value = true)}>
          Show all {formatBytes(text.length)}
        </button>
      )}
    </>
  );
}

/** A value as JSON. */
export function JsonText({ value, label }: { value: unknown; label: string }) {
  return (
    <>
      <LongText text={prettyJson(value)} label={label} />
      {isCut(value) && (
        <p class="remark">Only the beginning is kept here, of {formatBytes(value.bytes)}.</p>
      )}
    </>
  );
}
