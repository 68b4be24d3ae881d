/** An import is a run of commands of ≤ 100 sessions, closed by one event with the counts. After a crash: import again, the diff does the rest. */
import { v4 as uuidv4, v5 as uuidv5 } from 'uuid';
import type { CommandAck } from '#libs/protocol';
import { Refusal } from '#libs/protocol';
import { FORBIDDEN } from '../conference/kernel.js';
import type { ParsedSchedule, ParsedSession } from './parsed-schedule.js';

const CHUNK = 100;

export interface ImportPorts {
  /** Sends one command as the one who imports. */
  send(message: { readonly id: string; readonly type: string; readonly data: object }): Promise<CommandAck>;
  exists(): Promise<boolean>;
  onProgress(progress: { readonly phase: string; readonly done: number; readonly total: number }): void;
}

export interface ImportReport {
  readonly counts: Readonly<Record<string, number>>;
}

/** @throws Refusal the first chunk that is refused; what came before it stays, and a repeated import goes on from there */
export async function importSchedule(parsed: ParsedSchedule, ports: ImportPorts): Promise<ImportReport> {
  const run = uuidv4();
  let step = 0;
  // A retry within the run keeps the id, so that it acts once.
  const send = async (type: string, data: object): Promise<Exclude<CommandAck, { refusal: unknown }>> => {
    const message = { id: uuidv5(String(step++), run), type, data };
    for (let attempt = 0; ; attempt++) {
      const ack = await ports.send(message);
      if (!('refusal' in ack)) return ack;
      const { code, message: why, retryAfter } = ack.refusal;
      if (code >= 200 || attempt >= 20) throw Refusal.fromCode(code, why, retryAfter);
      await new Promise((resolve) => setTimeout(resolve, Math.min(retryAfter ?? 200, 1_000)));
    }
  };
  if (!(await ports.exists())) {
    const { title, timeZone = 'UTC', dayChange = '04:00' } = parsed;
    await send('open-conference', { title: clip(title, 200) ?? 'Untitled', timeZone, dayChange });
  }
  const counts: Record<string, number> = {
    sessions: parsed.sessions.length,
    rooms: parsed.rooms.length,
    changed: 0,
    odd: parsed.odd.length,
  };
  let after: number | undefined;
  const steps = [
    ...chunks(parsed.rooms.map(({ id, name }, order) => ({ id, name: clip(name, 100) ?? id, order }))).map((rooms) => ({
      phase: 'rooms',
      type: 'define-rooms',
      data: { rooms },
      size: rooms.length,
    })),
    ...chunks(parsed.sessions.map(toImported)).map((sessions) => ({
      phase: 'sessions',
      type: 'import-sessions',
      data: { sessions },
      size: sessions.length,
    })),
  ];
  const done: Record<string, number> = {};
  for (const { phase, type, data, size } of steps) {
    const ack = await send(type, data);
    if (ack.position !== null) {
      after = ack.position;
      counts.changed = (counts.changed ?? 0) + (phase === 'sessions' ? size : 0);
    }
    done[phase] = (done[phase] ?? 0) + size;
    ports.onProgress({ phase, done: done[phase] ?? 0, total: counts[phase] ?? 0 });
  }
  if (after !== undefined) await send('close-import', { counts });
  return { counts };
}

const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, index) => all.slice(index * CHUNK, (index + 1) * CHUNK));

const clip = (text: string | undefined, max: number): string | null =>
  text ? tidy(tidy(text).slice(0, max)) || null : null;
const tidy = (text: string): string => text.replaceAll(FORBIDDEN, ' ').trim();

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/keynote/i, 'keynote'],
  [/workshop|hands.?on|tutorial|training/i, 'workshop'],
  [/\bama\b|ask me anything/i, 'ama'],
  [/discussion|bof|panel|meet/i, 'discussion'],
  [/break|lunch|pause|coffee/i, 'break'],
  [/social|party|concert|dj|show/i, 'social'],
];

const toImported = ({
  id,
  title,
  subtitle,
  abstract,
  start,
  end,
  room,
  type,
  track,
  language,
  speakers,
  url,
}: ParsedSession): object => ({
  id,
  room,
  start,
  end,
  kind: KINDS.find(([pattern]) => pattern.test(type ?? ''))?.[1] ?? 'talk',
  title: clip(title, 300) ?? 'Untitled',
  subtitle: clip(subtitle, 500),
  abstract: clip(abstract, 1_500),
  speakers: speakers.slice(0, 50).flatMap((name) => clip(name, 200) ?? []),
  track: clip(track, 200),
  language: clip(language, 35),
  url: url && url.length <= 2_000 ? url : null,
});
