/** Small files beside the embedded database, so that the command line on this machine finds the service and may use it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const LOCAL_SERVICE = 'service.json';
export const LOCAL_TOKEN = 'organizer.token';

export function writeLocalAccess(dataDir: string, url: string, token: string): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path.join(dataDir, LOCAL_SERVICE), JSON.stringify({ url, pid: process.pid }), { mode: 0o600 });
  writeFileSync(path.join(dataDir, LOCAL_TOKEN), token, { mode: 0o600 });
}

export function removeLocalAccess(dataDir: string): void {
  for (const name of [LOCAL_SERVICE, LOCAL_TOKEN]) rmSync(path.join(dataDir, name), { force: true });
}
