/** What the crew of the demo tells everybody. Minutes count from its beginning. */

/** One every few minutes, so that whoever looks sees one come. */
export const UPDATES: readonly {
  readonly at: number;
  readonly severity: 'info' | 'notice';
  readonly texts: Readonly<Record<'en' | 'de', string>>;
}[] = [
  {
    at: 1,
    severity: 'info',
    texts: { en: 'Coffee is in the foyer, tea is in the garden.', de: 'Kaffee gibt es im Foyer, Tee im Garten.' },
  },
  {
    at: 7,
    severity: 'info',
    texts: {
      en: 'The cloakroom is on the ground floor, behind the stairs.',
      de: 'Die Garderobe ist im Erdgeschoss, hinter der Treppe.',
    },
  },
  {
    at: 12,
    severity: 'notice',
    texts: {
      en: 'The garden room is nearly full. Come early, or follow it on your phone.',
      de: 'Der Gartenraum ist fast voll. Komm früh, oder folge am Telefon.',
    },
  },
  {
    at: 18,
    severity: 'info',
    texts: {
      en: 'Slides appear beside each talk when it has ended.',
      de: 'Die Folien stehen nach dem Ende beim Vortrag.',
    },
  },
  {
    at: 24,
    severity: 'notice',
    texts: {
      en: 'The next talk begins a little late. Stay seated, or fetch a coffee.',
      de: 'Der nächste Vortrag beginnt etwas später. Bleib sitzen, oder hol Kaffee.',
    },
  },
  {
    at: 30,
    severity: 'info',
    texts: {
      en: 'A blue bottle was found in Track 2. It waits at the desk.',
      de: 'In Track 2 wurde eine blaue Flasche gefunden. Sie wartet am Empfang.',
    },
  },
  {
    at: 36,
    severity: 'info',
    texts: {
      en: 'The discussion track begins at the end of the AMA, in the same room.',
      de: 'Nach der Fragerunde beginnt im selben Raum die Diskussion.',
    },
  },
  {
    at: 42,
    severity: 'info',
    texts: { en: 'Somebody lost a token. It has been revoked.', de: 'Jemand hat ein Token verloren. Es ist gesperrt.' },
  },
  {
    at: 48,
    severity: 'notice',
    texts: {
      en: 'The unconference slot has no topic yet. Bring one to the garden room.',
      de: 'Der freie Slot hat noch kein Thema. Bring eins in den Gartenraum.',
    },
  },
  {
    at: 54,
    severity: 'info',
    texts: {
      en: 'The quiet room on the 1st floor is open all day.',
      de: 'Der Ruheraum im 1. Stock ist den ganzen Tag offen.',
    },
  },
  {
    at: 60,
    severity: 'info',
    texts: { en: 'Charging cables can be borrowed at the desk.', de: 'Ladekabel gibt es am Empfang zum Ausleihen.' },
  },
  {
    at: 65,
    severity: 'info',
    texts: {
      en: 'Half of the day is over. Questions are still the best part.',
      de: 'Die Hälfte des Tages ist um. Fragen sind noch immer das Beste.',
    },
  },
  {
    at: 70,
    severity: 'notice',
    texts: { en: 'Lunch is served until the queue is empty.', de: 'Mittagessen gibt es, bis die Schlange leer ist.' },
  },
  {
    at: 76,
    severity: 'info',
    texts: { en: 'Vegan lunch is at the table by the window.', de: 'Veganes Essen steht auf dem Tisch am Fenster.' },
  },
  {
    at: 82,
    severity: 'info',
    texts: {
      en: 'Wi-Fi in the foyer was slow; a second access point is up.',
      de: 'Das WLAN im Foyer war langsam; ein zweiter Zugangspunkt läuft.',
    },
  },
  {
    at: 88,
    severity: 'info',
    texts: { en: 'Water is refilled at every door.', de: 'Wasser wird an jeder Tür nachgefüllt.' },
  },
  {
    at: 94,
    severity: 'notice',
    texts: {
      en: 'The last talk of the day begins soon in the main hall.',
      de: 'Der letzte Vortrag des Tages beginnt bald im großen Saal.',
    },
  },
  {
    at: 100,
    severity: 'info',
    texts: {
      en: 'Tell us what to keep and what to drop: forms are at the doors.',
      de: 'Sag uns, was bleiben und was gehen soll: Zettel liegen an den Türen.',
    },
  },
  {
    at: 106,
    severity: 'info',
    texts: { en: 'Badges can be handed back in the foyer.', de: 'Namensschilder können im Foyer abgegeben werden.' },
  },
  {
    at: 112,
    severity: 'info',
    texts: {
      en: 'Drinks are in the garden after the last talk.',
      de: 'Nach dem letzten Vortrag gibt es Getränke im Garten.',
    },
  },
];
