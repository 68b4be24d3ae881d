/** Schedules as large as those of real congresses, made of nobody's data: for suites that must not depend on files from outside. */

export interface Size {
  /** Up to 3. */
  readonly days: number;
  readonly rooms: number;
  /** Of each room, each day. */
  readonly sessions: number;
}

/** As 38C3: about a thousand sessions in 72 rooms, two megabytes. */
export const CONGRESS: Size = { days: 3, rooms: 72, sessions: 5 };

const PROSE = 'Long words, "quotes" & <b>markup</b>, ümläuts, עברית and 🎈; then a line.\n';
const guid = (kind: number, index: number): string =>
  `${String(kind).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
const two = (value: number): string => String(value).padStart(2, '0');

/** In the JSON format version 1, around the spring change of clocks in Berlin. */
export function generatedJson({ days, rooms, sessions }: Size, abstract = 20): object {
  const names = Array.from({ length: rooms }, (_, index) => `Room ${index + 1}`);
  let count = 0;
  const event = (room: string, date: string, offset: string, index: number) => ({
    id: ++count,
    guid: guid(1, count),
    date: `${date}T${two(9 + 2 * index)}:00:00${offset}`,
    start: `${two(9 + 2 * index)}:00`,
    duration: '01:30',
    room,
    slug: `generated-${count}`,
    url: `https://example.org/generated/${count}`,
    title: `Session ${count} <with> "everything" & more`,
    subtitle: count % 3 === 0 ? `A subtitle of ${count}` : null,
    track: count % 2 === 0 ? 'Even' : null,
    type: count % 5 === 0 ? 'workshop' : 'talk',
    language: 'en',
    abstract: PROSE.repeat(abstract).trim(),
    persons: [{ name: `Speaker ${count}` }, { id: count, public_name: 'O’Speaker, the other' }],
    links: [],
  });
  const day = (index: number) => {
    const date = `2026-03-${28 + index}`;
    const [offset, change] = index === 0 ? ['+01:00', '+02:00'] : ['+02:00', '+02:00'];
    return {
      index: index + 1,
      date,
      day_start: `${date}T05:00:00${offset}`,
      day_end: `2026-03-${29 + index}T04:59:00${change}`,
      rooms: Object.fromEntries(
        names.map((name) => [name, Array.from({ length: sessions }, (_, at) => event(name, date, offset, at))]),
      ),
    };
  };
  return {
    schedule: {
      version: 'generated',
      conference: {
        acronym: 'generated',
        title: 'A generated conference',
        start: '2026-03-28',
        end: `2026-03-${27 + days}`,
        daysCount: days,
        timeslot_duration: '00:05',
        time_zone_name: 'Europe/Berlin',
        rooms: names.map((name, index) => ({ name, guid: guid(2, index), capacity: index })),
        days: Array.from({ length: days }, (_, index) => day(index)),
      },
    },
  };
}
