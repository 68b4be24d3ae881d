/** A link to hand on, with a button that copies it; where the browser copies nothing, the link is selected and that is said. */
import { useRef } from 'preact/hooks';
import { copyText } from './browser/copy-text.js';
import type { Acts } from './notices.js';
import type { Texts } from './texts.js';

interface CopyLinkProps {
  readonly link: string;
  readonly acts: Acts;
  readonly texts: Texts;
}

export function CopyLink({ link, acts, texts }: CopyLinkProps) {
  const shown = useRef<HTMLAnchorElement>(null);
  const copy = async () => {
    const how = await copyText(link, shown.current);
    acts.say(how === 'copied' ? texts.copied : texts.selected);
  };
  return (
    <p class="row">
      <a href={link} ref={shown} class="small">
        {link}
      </a>
      <button type="button" onClick={() => void copy()}>
        {texts.copy}
      </button>
    </p>
  );
}
