/**
 * Copies a text. The clipboard API exists in secure contexts only; `execCommand('copy')` works on plain http, too.
 *
 * @returns `selected` where a browser allows neither: the text of `shown` is then selected, to be copied by hand
 */
export async function copyText(text: string, shown: HTMLElement | null): Promise<'copied' | 'selected'> {
  // On plain http there is no such property, whatever the types say.
  const clipboard = (navigator as { readonly clipboard?: Clipboard }).clipboard;
  try {
    if (clipboard) {
      await clipboard.writeText(text);
      return 'copied';
    }
  } catch {
    // Not allowed here: the older way may be.
  }
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('aria-hidden', 'true');
  field.style.cssText = 'position:fixed;top:0;opacity:0';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (copied) return 'copied';
  if (shown) getSelection()?.selectAllChildren(shown);
  return 'selected';
}
