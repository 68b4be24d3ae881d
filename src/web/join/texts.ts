const en = {
  title: 'Take part',
  code: 'Code of the conference',
  hint: 'It stands on the screens, beside the QR code.',
  join: 'Join',
  joining: 'Joining …',
  wrongCode: 'This code is not (or no longer) right. Look at the screen again.',
  crowd: 'Many people join at once. Try again in a minute.',
  offline: 'The conference cannot be reached. Are you online?',
  inside: 'You are in',
  liveSoon: 'As it is now; live soon …',
  goLive: 'Go to the live page',
  now: 'Now',
  forgetful: 'This browser saves nothing. You take part until you close this tab; then you have to join again.',
};

const de: typeof en = {
  title: 'Mitmachen',
  code: 'Code der Konferenz',
  hint: 'Er steht auf den Bildschirmen, neben dem QR-Code.',
  join: 'Beitreten',
  joining: 'Trete bei …',
  wrongCode: 'Dieser Code stimmt nicht (mehr). Schau noch einmal auf den Bildschirm.',
  crowd: 'Viele treten gerade bei. Versuch es in einer Minute noch einmal.',
  offline: 'Die Konferenz ist nicht zu erreichen. Bist du online?',
  inside: 'Du bist drin',
  liveSoon: 'Stand von jetzt; gleich live …',
  goLive: 'Zur Live-Seite',
  now: 'Jetzt',
  forgetful:
    'Dieser Browser speichert nichts. Du bist dabei, bis du diesen Tab schließt; danach musst du neu beitreten.',
};

export const joinTexts = { en, de };
export type JoinTexts = typeof en;
