/** People with devices: each has a browser context of their own, and may sit behind a network that can be cut. */
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { until } from './process.js';
import { startProxy, type TcpProxy } from './tcp-proxy.js';

export interface Device {
  readonly page: Page;
  readonly network: TcpProxy;
  /** Opens a path of the service over this device's network. */
  open(path: string): Promise<void>;
  /** Waits until the page says so. */
  freshness(state: string, withinMs?: number): Promise<void>;
  /** Violations that axe finds, with the elements. */
  violations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface DeviceOptions extends BrowserContextOptions {
  /** Tokens by the name under which the pages keep them. */
  readonly kept?: Readonly<Record<string, string>>;
  /** In the address of the service. */
  readonly host?: string;
  /** The browser gives pages no storage, as when a person blocks it. */
  readonly storageForbidden?: boolean;
}

export async function openDevice(
  browser: Browser,
  service: string,
  { kept = {}, host = '127.0.0.1', storageForbidden = false, ...options }: DeviceOptions = {},
): Promise<Device> {
  const network = await startProxy(Number(new URL(service).port));
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 720 }, ...options });
  await context.addInitScript((values) => {
    for (const [name, value] of Object.entries(values)) localStorage.setItem(`hallway.${name}`, value);
  }, kept);
  // The same exception in the same place: Chromium's setting exists only for a whole profile.
  if (storageForbidden)
    await context.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(globalThis, name, {
          get: () => {
            throw new DOMException('Access is denied for this document.', 'SecurityError');
          },
        });
    });
  context.setDefaultTimeout(8_000);
  const page = await context.newPage();
  return {
    page,
    network,
    open: async (path) => {
      await page.goto(`http://${host}:${network.port}${path}`);
    },
    freshness: async (state, withinMs) => {
      await until(
        `the page says ${state}`,
        async () =>
          (await page
            .getByTestId('freshness')
            .getAttribute('data-state', { timeout: 1_000 })
            .catch(() => '')) === state,
        withinMs,
      );
    },
    violations: async () => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary?.slice(0, 300)}`),
      );
    },
    close: async () => {
      await context.close();
      await network.close();
    },
  };
}

export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;
