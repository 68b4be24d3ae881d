/** The sheet of keys, and the way to another device. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { CopyLink } from '../shared/copy-link.js';
import { call } from '../shared/http.js';
import { Qr } from '../shared/qr.js';
import type { SessionDeskContext } from './session-desk.js';
import type { Shortcuts } from './use-keys.js';

interface HelpProps extends SessionDeskContext {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly shortcuts: Shortcuts;
}

export function Help({ dialog, shortcuts, texts, conference, identity, acts }: HelpProps) {
  const [url, setUrl] = useState<string>();
  const makeLink = async () => {
    try {
      const route = `/v1/conferences/${encodeURIComponent(conference)}/links`;
      setUrl((await call<{ url: string }>(route, { token: identity.token, body: {} })).url);
    } catch (error) {
      acts.say(texts.failed(error instanceof Error ? error.message : String(error)), true);
    }
  };
  return (
    <dialog ref={dialog} aria-label={texts.help} onClose={() => setUrl(undefined)}>
      <h2>{texts.help}</h2>
      <label>
        <input
          type="checkbox"
          checked={shortcuts.on}
          onChange={(event) => shortcuts.turn(event.currentTarget.checked)}
        />{' '}
        {texts.useShortcuts}
      </label>
      <table>
        <tbody>
          {texts.keys.map(([key, meaning]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {url && (
        <>
          <p>{texts.moveHint}</p>
          <Qr text={url} label={texts.moveHint} />
          <CopyLink link={url} {...{ acts, texts }} />
        </>
      )}
      <p class="row">
        <button type="button" onClick={() => void makeLink()}>
          {texts.move}
        </button>
        <button type="button" class="main" onClick={() => dialog.current?.close()}>
          {texts.close}
        </button>
      </p>
    </dialog>
  );
}
