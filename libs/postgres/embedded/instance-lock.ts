import fs from 'node:fs';
import path from 'node:path';
import { identifyProcess, type ProcessIdentity } from './processes.js';

interface Holder extends ProcessIdentity {
  /** ISO 8601. */
  readonly since: string;
  readonly purpose: string;
}

export interface InstanceLock {
  release(): void;
}

/** The data folder is in use by a living process. */
export class InstanceHeld extends Error {
  override readonly name = 'InstanceHeld';
  readonly pid: number;
  readonly since: Date;
  /** What the holder says it is, e.g. its address. */
  readonly purpose: string;

  constructor(folder: string, holder: Holder) {
    const purpose = holder.purpose && ` (${holder.purpose})`;
    super(`${folder} is in use by process ${holder.pid}${purpose} since ${holder.since}`);
    this.pid = holder.pid;
    this.since = new Date(holder.since);
    this.purpose = holder.purpose;
  }
}

/**
 * Takes the folder for this process. The lock is a symbolic link `instance.<n>` whose target says who holds it: made
 * atomically together with its content, and worthless once that process is gone, however it went. Who finds a dead holder
 * takes number n + 1, so that two finders cannot both win and neither can remove the other's; the highest number holds.
 * (An advisory file lock would do, but Node has none; a pid alone would block for ever once the number is reused.)
 * @throws InstanceHeld
 */
export async function lockInstance(folder: string, purpose: string): Promise<InstanceLock> {
  const self = await identifyProcess(process.pid);
  const holder: Holder = {
    pid: process.pid,
    start: self?.start ?? '',
    since: new Date().toISOString(),
    purpose,
  };
  for (;;) {
    const highest = numbers(folder).at(-1) ?? 0;
    const present = highest > 0 ? readHolder(folder, highest) : undefined;
    if (present === 'gone') continue;
    if (present && (await isAlive(present))) throw new InstanceHeld(folder, present);
    const mine = highest + 1;
    if (!take(folder, mine, holder)) continue;
    if (numbers(folder).at(-1) !== mine) {
      remove(folder, mine);
      continue;
    }
    for (const older of numbers(folder).filter((number) => number < mine)) remove(folder, older);
    return { release: () => remove(folder, mine) };
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  return (await identifyProcess(holder.pid))?.start === holder.start;
}

function numbers(folder: string): readonly number[] {
  const found = fs.readdirSync(folder).flatMap((name) => {
    const match = /^instance\.(\d+)$/.exec(name);
    return match ? [Number(match[1])] : [];
  });
  return found.sort((a, b) => a - b);
}

function readHolder(folder: string, number: number): Holder | 'gone' | undefined {
  try {
    const content: unknown = JSON.parse(decodeURIComponent(fs.readlinkSync(nameOf(folder, number))));
    return isHolder(content) ? content : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'gone';
    if (hasCode(error, 'EINVAL') || error instanceof SyntaxError || error instanceof URIError) return undefined; // not ours
    throw error;
  }
}

function isHolder(content: unknown): content is Holder {
  if (typeof content !== 'object' || content === null) return false;
  const { pid, start, since, purpose } = content as Partial<Record<keyof Holder, unknown>>;
  return Number.isInteger(pid) && [start, since, purpose].every((text) => typeof text === 'string');
}

function take(folder: string, number: number, holder: Holder): boolean {
  try {
    fs.symlinkSync(encodeURIComponent(JSON.stringify(holder)), nameOf(folder, number));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function remove(folder: string, number: number): void {
  fs.rmSync(nameOf(folder, number), { force: true });
}

function nameOf(folder: string, number: number): string {
  return path.join(folder, `instance.${number}`);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
