/** Texts of the form that posts updates, at the desk and for organizers. */
const en = {
  postUpdate: 'Post an update',
  updateText: 'Text',
  severity: 'How urgent',
  severities: { info: 'information', notice: 'notice', urgent: 'urgent', emergency: 'emergency' },
  forSession: 'For this session only',
  forAll: 'For all',
  post: 'Post',
  posted: 'Posted',
  retract: 'Take back',
  retracted: 'Taken back',
  inLanguage: (language: string) => `Text (${language})`,
  expires: 'Shown for',
  minutes: (minutes: number) => (minutes === 0 ? 'until taken back' : `${minutes} min`),
  drillBox: 'This is a drill',
  sure: 'This takes over every screen and phone. Post the emergency?',
  yesEmergency: 'Yes, post the emergency',
  renew: 'It still holds',
  renewed: 'Holds for another 15 minutes',
  current: 'What is shown now',
  forWhom: 'For whom',
};

const de: typeof en = {
  postUpdate: 'Neuigkeit melden',
  updateText: 'Text',
  severity: 'Wie dringend',
  severities: { info: 'Information', notice: 'Hinweis', urgent: 'dringend', emergency: 'Notfall' },
  forSession: 'Nur für diese Veranstaltung',
  forAll: 'Für alle',
  post: 'Melden',
  posted: 'Gemeldet',
  retract: 'Zurücknehmen',
  retracted: 'Zurückgenommen',
  inLanguage: (language) => `Text (${language})`,
  expires: 'Zu sehen',
  minutes: (minutes) => (minutes === 0 ? 'bis zur Rücknahme' : `${minutes} Min.`),
  drillBox: 'Dies ist eine Übung',
  sure: 'Das übernimmt jeden Bildschirm und jedes Telefon. Den Notfall melden?',
  yesEmergency: 'Ja, Notfall melden',
  renew: 'Gilt noch',
  renewed: 'Gilt weitere 15 Minuten',
  current: 'Was jetzt zu sehen ist',
  forWhom: 'Für wen',
};

export const updateTexts = { en, de };
export type UpdateTexts = typeof en;
