/**
 * Known answers for keys, ids, AAD and signatures, written by another implementation (Python: cryptography 48, blake3) from docs/backup-format.md.
 * The epoch key is the bytes 0..31, the Ed25519 seed the bytes 32..63.
 */
export const FORMAT_VECTORS = {
  repo: '0f8fad5b-d9cb-469f-a165-70867728950e',
  epoch: 7n,
  keys: {
    kid: '1782ab9ac345d38e359ef456179b9d65',
    id: '13b63da91a904f4f720cd413b4608c39c89fd02bf0779b2fb101f6a72fd4544d',
    chunk: '95a4f858c49162c035bcae540b46c504f2e49b3d145b654450bee9d0eefd3d14',
    pack: 'd294c9e4b166726d4b0943d30aeabfe3a665ac3212db86288cb488a000ff7784',
    meta: '446cf19ea32346e7536d183e50203b06d127a9c0871a9e1ce584063c30486482',
    log: '635bb8732fa37f279186b5b3a2518bf076a7d278ef362b854c83ed9e48b6032c',
  },
  /** Of the texts `first blob` and `second blob`. */
  blobs: [
    'e7992892412557e58d06ccf69faf164e385ac7b929119a5ff6444cd1f8beb391',
    '746aef0b49981857647eec95bfaf6805ebd4555b181449f2594f77d1f9ab60c5',
  ],
  packId: '9ebb6e6135f2b3eb117387ac35b17acc',
  listRoot: '998403f82030de48ab5b0385f0f0aa200b05613381ad1d9cbc1a2ec31fb9682a',
  /** Of the pack above. */
  packAad:
    '4344523100010f8fad5bd9cb469fa16570867728950e1782ab9ac345d38e359ef456179b9d6500000000000000077061636b732f39652f3965626236653631333566326233656231313733383761633335623137616363',
  signer: '24f6ed6acbfe1009c030d7ca567c33ca',
  /** Of config.json = {repo, format: 1, text}. */
  text: 'zwei – \u0001"',
  documentSignature: 'WoZ1WVdfQOR2MXpCOiBa3BnxXp4EbXDdMB3Jp7F4kBO/KsKfQNqC3Egp4EDsFGF9weXFzb8txDKsz8EC7PLiDA==',
  /** Of the manifest `manifests/c1/b1` whose FLOE object is the text `any body`. */
  objectSignature:
    '73dc712673b4e55123d36d1a3011effeb429165bfaf8a4b98b931a6fa7e100db7bed9309c71ae45db8f81f300074b8dadba470a3cfe57aa74e6a316403d1ef09',
} as const;
