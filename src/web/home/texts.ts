const en = {
  conferences: 'Conferences',
  noConferences: 'There is no conference yet.',
  importHint: 'Import one: npx hallway import schedule.xml',
  rooms: 'Screens of the rooms',
  openScreen: 'Open the screen',
  signInHint: 'To organize, sign in with the organizer link that the service printed when it started.',
  signedIn: 'Signed in as organizer',
  linkUsed: 'This link is not valid (any more). Ask for a new one: npx hallway token --link',
  linkLater: (why: string) => `The service cannot be reached (${why}). The link is still good: reload this page.`,
  linkForVisit:
    'This browser saves nothing. The link works once: open it in a browser that saves data, or use it here until you close this tab.',
  useForVisit: 'Use it here, for this visit',
  apiDocs: 'For programs: the HTTP interface',
  takePart: 'Take part',
  desk: 'Moderate',
  organize: 'Organize',
};

const de: typeof en = {
  conferences: 'Konferenzen',
  noConferences: 'Es gibt noch keine Konferenz.',
  importHint: 'Importiere eine: npx hallway import schedule.xml',
  rooms: 'Bildschirme der Räume',
  openScreen: 'Bildschirm öffnen',
  signInHint: 'Zum Organisieren melde dich mit dem Organisationslink an, den der Dienst beim Start ausgegeben hat.',
  signedIn: 'Angemeldet als Organisation',
  linkUsed: 'Dieser Link gilt nicht (mehr). Einen neuen gibt: npx hallway token --link',
  linkLater: (why) => `Der Dienst ist nicht zu erreichen (${why}). Der Link gilt noch: lade diese Seite neu.`,
  linkForVisit:
    'Dieser Browser speichert nichts. Der Link gilt einmal: öffne ihn in einem Browser, der speichert, oder nutze ihn hier, bis du diesen Tab schließt.',
  useForVisit: 'Hier für diesen Besuch nutzen',
  apiDocs: 'Für Programme: die HTTP-Schnittstelle',
  takePart: 'Mitmachen',
  desk: 'Moderieren',
  organize: 'Organisieren',
};

export const homeTexts = { en, de };
