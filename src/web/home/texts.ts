const en = {
  conferences: 'Conferences',
  noConferences: 'There is no conference yet.',
  importHint: 'Import one: npx hallway import schedule.xml',
  rooms: 'Screens of the rooms',
  openScreen: 'Open the screen',
  signInHint: 'To organize, sign in with the organizer link that the service printed when it started.',
  signedIn: 'Signed in as organizer',
  linkUsed: 'This link is not valid (any more). Ask for a new one: npx hallway token --link',
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
  apiDocs: 'Für Programme: die HTTP-Schnittstelle',
  takePart: 'Mitmachen',
  desk: 'Moderieren',
  organize: 'Organisieren',
};

export const homeTexts = { en, de };
