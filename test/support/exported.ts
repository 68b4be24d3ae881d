/** What must hold for the exports of any conference; used by the suite of exports on generated, hostile and real ones. */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import ICAL from 'ical.js';
import { Temporal } from 'temporal-polyfill';
import { validateXML } from 'xmllint-wasm';
import type { SessionDocument } from '../../src/conference/sessions/documents.js';
import { createDoors, type Doors } from './doors.js';
import { type HttpDoor, openHttpDoor } from './http-door.js';
import { CONFERENCE, contentOf, organizer, someone } from './world.js';

const SHARED = new URL('../../../shared/schedules/', import.meta.url);
export const hasShared = existsSync(SHARED);
export const shared = (name: string): Buffer => readFileSync(new URL(name, SHARED));

export interface Exported {
  readonly doors: Doors;
  readonly door: HttpDoor;
  /** Imports a file. @returns the counts of the report */
  load(file: Buffer | string): Promise<Readonly<Record<string, number>>>;
  get(format: 'xml' | 'json' | 'ics'): Promise<string>;
}

export async function createExported(): Promise<Exported> {
  const doors = createDoors();
  const door = await openHttpDoor(doors);
  return {
    doors,
    door,
    async load(file) {
      const body = file.toString();
      const { text } = await door.call(`/v1/conferences/${CONFERENCE}/imports`, { by: organizer, body });
      const last = JSON.parse(text.trim().split('\n').at(-1) ?? '');
      if (!last.report) throw new Error(text.slice(-500));
      return last.report.counts;
    },
    get: async (format) =>
      (await door.call(`/v1/conferences/${CONFERENCE}/schedule.${format}`, { by: someone('ann') })).text,
  };
}

/** Export → import → export: neither the conference nor the export differs. */
export async function expectNothingChanges({ doors, load, get }: Exported): Promise<void> {
  const before = contentOf(doors.world.store);
  for (const format of ['xml', 'json'] as const) {
    const file = await get(format);
    expect(await load(file)).toMatchObject({ changed: 0 });
    expect(contentOf(doors.world.store)).toEqual(before);
    expect(await get(format)).toBe(file);
  }
}

/** By the official schema. */
export async function expectValidXml({ get }: Exported): Promise<void> {
  const { errors } = await validateXML({
    xml: [{ fileName: 'schedule.xml', contents: await get('xml') }],
    schema: shared('schedule.xml.xsd').toString(),
    maxMemoryPages: 4_096,
  });
  expect(errors.slice(0, 5)).toEqual([]);
}

/** By the official schema. */
export async function expectValidJson({ get }: Exported): Promise<void> {
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addFormat('color', /^#[0-9a-f]{6}$/i);
  // Its draft 6 has nothing that later drafts read differently.
  const { $schema: _, ...schema } = JSON.parse(shared('schema.json').toString());
  const validate = ajv.compile(schema);
  validate(JSON.parse(await get('json')));
  expect(validate.errors?.slice(0, 5) ?? []).toEqual([]);
}

/** Instants of each session in schedule.ics, read by TZID alone and again by the VTIMEZONE alone: both are what was announced. */
export async function expectTrueTimes({ doors, get }: Exported): Promise<void> {
  const calendar = new ICAL.Component(ICAL.parse(await get('ics')));
  const zone = new ICAL.Timezone(calendar.getFirstSubcomponent('vtimezone') ?? undefined);
  const read = calendar.getAllSubcomponents('vevent').map((event) => {
    const times = ['dtstart', 'dtend'].map((name) => {
      const property = event.getFirstProperty(name);
      const at = property?.getFirstValue() as ICAL.Time;
      const tzid = property?.getFirstParameter('tzid');
      if (!tzid) return [at.toUnixTime(), at.toUnixTime()];
      const byId = Temporal.PlainDateTime.from(at.toString()).toZonedDateTime(tzid).epochMilliseconds / 1_000;
      at.zone = zone;
      return [byId, at.toUnixTime()];
    });
    return JSON.stringify(times);
  });
  const wanted = doors.world.state.documents<SessionDocument>('schedule', 'session').map(({ body }) => {
    const { planned, expectedStart } = body;
    const start = Math.floor(Date.parse(expectedStart ?? planned.start) / 1_000);
    const end = start + Math.floor((Date.parse(planned.end) - Date.parse(planned.start)) / 1_000);
    return JSON.stringify([start, end].map((at) => [at, at]));
  });
  expect(read.sort()).toEqual(wanted.sort());
}
