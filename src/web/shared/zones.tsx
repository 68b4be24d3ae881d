/** All times are the conference's; whoever sits in another zone is told so, with the name of both. */
import type { Texts } from './texts.js';

export function Zones({ timeZone, texts }: { readonly timeZone: string; readonly texts: Texts }) {
  const device = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <p class="small faint" data-testid="zones">
      {texts.timesIn(timeZone)}
      {device !== timeZone && ` · ${texts.yourTime(device)}`}
    </p>
  );
}
