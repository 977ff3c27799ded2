/** Documents as a service keeps them: orders as JSON, of varied length, about 1 KiB on average, in the order of their keys. Ids and tokens are random, customers, products and words recur. */
export interface Document {
  readonly key: string;
  readonly value: string;
}

const TENANT_DOCUMENTS = 4096;
const CUSTOMERS_OF_TENANT = 500;
const PRODUCTS = 5000;
const WORDS =
  'account active address amount approved archive balance batch branch budget carrier catalog central channel charge client closed confirm contract credit customer daily damaged deadline default deliver deposit detail discount dispatch document domestic duplicate effective estimate exchange expected expired express failed federal final forecast foreign freight fulfil general global handling holiday import income initial inspect insured invoice journal label ledger license limited local location manager manual margin market master member merchant monthly network notice number office online open order origin outbound owner package paid parcel partial partner payment pending period phone pickup policy postal premium previous price priority process product profile project purchase quality quantity quarter queue receipt record refund region regular reject release remote renewal report request reserve retail return review route sample schedule section service settle shipment signed special standard station status storage supply support tariff terminal total transfer transit update urgent valid vendor verified volume voucher warehouse weekly weight window'.split(
    ' ',
  );
const STATES = ['draft', 'open', 'paid', 'shipped', 'delivered', 'returned', 'closed'];
const CURRENCIES = ['EUR', 'USD', 'GBP', 'JPY', 'CHF'];
const CITIES = ['Hamburg', 'Lyon', 'Osaka', 'Denver', 'Porto', 'Leeds', 'Basel', 'Gdansk', 'Austin', 'Turku', 'Malmo', 'Verona'];
const products = new Map<number, string>();

/** Document number n in its version: always the same, whatever was made before it. */
export function documentAt(n: number, version: number): Document {
  const draw = drawFrom(Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(version + 1, 0x85ebca6b));
  const tenant = Math.floor(n / TENANT_DOCUMENTS);
  const name = `t${String(tenant).padStart(6, '0')}`;
  // Most orders are short, some are ten times as long.
  const items = Math.min(40, 1 + Math.floor(-4.2 * Math.log(1 - draw.random())));
  const lines = Array.from({ length: items }, () => `{${product(draw.often(PRODUCTS))},"count":${1 + draw.often(20)}}`);
  const created = 1_700_000_000_000 + n * 1_700 + draw.below(100_000);
  const value =
    `{"id":"${draw.hex()}-${draw.hex()}","tenant":"${name}","version":${version},"created":"${new Date(created).toISOString()}",` +
    `"updated":"${new Date(created + draw.below(9e8)).toISOString()}","status":"${STATES[draw.often(STATES.length)]}",` +
    `"currency":"${CURRENCIES[draw.often(CURRENCIES.length)]}","total":${draw.below(1e7) / 100},"customer":{${customer(tenant, draw.often(CUSTOMERS_OF_TENANT))}},` +
    `"lines":[${lines.join(',')}],"notes":"${draw.words(draw.below(40))}","tags":["${draw.words(1)}","${draw.words(1)}"],` +
    `"token":"${draw.hex()}${draw.hex()}${draw.hex()}${draw.hex()}","paid":${draw.random() < 0.5}}`;
  return { key: `orders/${name}/${String(n).padStart(12, '0')}`, value };
}

function product(n: number): string {
  const known = products.get(n);
  if (known !== undefined) return known;
  const draw = drawFrom(~n);
  const text = `"sku":"${draw.hex().slice(0, 6).toUpperCase()}","name":"${draw.words(3)}","price":${draw.below(1e5) / 100},"tax":${draw.below(25)}`;
  products.set(n, text);
  return text;
}

function customer(tenant: number, n: number): string {
  const draw = drawFrom(Math.imul(tenant + 1, 0x2545f491) ^ n);
  return `"id":"${draw.hex()}${draw.hex()}","name":"${draw.words(2)}","email":"${draw.words(1)}.${draw.hex().slice(0, 5)}@example.test","city":"${CITIES[draw.often(CITIES.length)]}","postcode":"${draw.below(1e5)}"`;
}

/** Which documents are another version in the second state: about 1 %, in runs of neighbours, as when some tenants are busy and most are not. */
export function isChanged(n: number): boolean {
  return Math.floor(n / CHANGED_RUN) % 100 === 37;
}

const CHANGED_RUN = 512;

interface Draw {
  random(): number;
  below(limit: number): number;
  /** Small numbers far more often than large ones, as words, customers and products are used. */
  often(limit: number): number;
  hex(): string;
  words(count: number): string;
}

/** SplitMix32. */
function drawFrom(seed: number): Draw {
  let state = seed | 0;
  const random = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const often = (limit: number): number => Math.floor(limit * random() ** 3);
  return {
    random,
    often,
    below: (limit) => Math.floor(random() * limit),
    hex: () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    words: (count) => Array.from({ length: count }, () => WORDS[often(WORDS.length)]).join(' '),
  };
}
