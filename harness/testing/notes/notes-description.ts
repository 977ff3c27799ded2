/** The notes service (notes-program.ts) as its user describes it to a game day. */
export const NOTES_LEDGER = {
  write: { path: '/notes/{key}', body: '{"note": {"text": "{value}"}}', acknowledged: [201, 204], refused: [422] },
  read: { path: '/notes/{key}', found: [200], absent: [404, 410], value: '/note/text' },
  delete: { method: 'POST', path: '/notes/{key}/discard', acknowledged: [204] },
} as const;
