import { existsSync, mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumPath = PATHS.find((path) => existsSync(path));

/** Where there is no Chromium these suites say so in one line; with CI=true they fail. */
export function needsChromium(): boolean {
  if (chromiumPath) return true;
  if (process.env.CI === 'true') throw new Error('Chromium is missing: npm run setup');
  process.stderr.write('skipped: Chromium is missing (npm run setup)\n');
  return false;
}

/** A name that leads to this machine: an origin as phones on a venue's network see it, without a secure context. */
export const LAN_NAME = 'hall.test';

/** With `LAN_NAME` resolved to the loopback address. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? '',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`,
    ],
  });
}

/** Kept as an artefact, to be looked at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync('test/artifacts', { recursive: true });
  await page.screenshot({ path: `test/artifacts/${name}.png` });
}
