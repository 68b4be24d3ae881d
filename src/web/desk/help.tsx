/** The sheet of keys, and the way to another device. */
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../shared/http.js';
import { Qr } from '../shared/qr.js';
import type { SessionDeskContext } from './session-desk.js';

interface HelpProps extends SessionDeskContext {
  readonly dialog: RefObject<HTMLDialogElement | null>;
}

export function Help({ dialog, texts, conference, identity, acts }: HelpProps) {
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
          <p class="small">
            <a href={url}>{url}</a>
          </p>
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
