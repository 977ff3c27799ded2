"""Reads one backup in a folder from docs/backup-format.md alone, and prints its records as JSON {hex: hex}.
Usage: reader.py FOLDER MANIFEST KEYFILE PUBLIC_KEY_HEX          Needs: cryptography, blake3, zstandard"""
import base64, hashlib, hmac, json, pathlib, struct, sys, uuid
import blake3, zstandard
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEG = 524288

def check(ok, what):
    if not ok: sys.exit('refused: ' + what)

def varint(b, at):
    value = shift = 0
    while True:
        byte = b[at]; at += 1; value |= (byte & 127) << shift; shift += 7
        if byte < 128: return value, at

def framed(b, at):
    n, at = varint(b, at); check(at + n <= len(b), 'length'); return b[at:at + n], at + n

def floe(key, aad, b):
    p = struct.pack('>BBII', 0, 0, SEG, 32); check(b[:10] == p, 'parameters'); iv = b[10:42]
    kdf = lambda k, purpose, n: hmac.new(k, p + iv + purpose + aad + b'\1', hashlib.sha384).digest()[:n]
    check(hmac.compare_digest(kdf(key, b'HEADER_TAG:', 32), b[42:74]), 'header tag')
    mk, out, n, at = kdf(key, b'MESSAGE_KEY:', 48), b'', 0, 74
    while True:
        seg = b[at:at + SEG]; at += len(seg); last = at == len(b)
        check(len(seg) >= 32 and struct.unpack('>I', seg[:4])[0] == (len(seg) if last else 0xffffffff), 'segment')
        dk = kdf(mk, b'DEK:' + struct.pack('>Q', n >> 20 << 20), 32)
        out += AESGCM(dk).decrypt(seg[4:16], seg[16:], struct.pack('>QB', n, last)); n += 1
        if last: return out

def canonical(b):
    v = json.loads(b)
    check(json.dumps(v, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode() == b, 'canonical JSON')
    return v

def range_file(b):
    check(b[:5] == b'CDRR\1' and blake3.blake3(b[:-32]).digest() == b[-32:], 'range file')
    begin, at = framed(b, 6)
    end, at = (None, at) if b[5] else framed(b, at)
    (count, at), records = varint(b, at), []
    for _ in range(count):
        key, at = framed(b, at); value, at = framed(b, at); records.append((key, value))
        check(begin <= key and (end is None or key < end), 'key outside the range')
    check(struct.unpack('>IQ', b[-44:-32]) == (count, at) and at == len(b) - 44, 'footer')
    check(all(a[0] < c[0] for a, c in zip(records, records[1:])), 'order')
    return begin, end, records

root, name, key_file, public = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], bytes.fromhex(sys.argv[4])
repo = json.loads((root / 'config.json').read_bytes())['repo']
hkdf = lambda ikm, label, n: HKDF(hashes.SHA384(), n, None, label.encode()).derive(ikm)
# 1. Signature
b = (root / name).read_bytes(); check(b[:8] == b'CDR1SGN\0', 'magic')
kid, epoch, signer, sig, body = b[8:24], struct.unpack('>Q', b[24:32])[0], b[32:48], b[48:112], b[112:]
aad = lambda t, n: b'CDR1\0' + bytes([t]) + uuid.UUID(repo).bytes + kid + struct.pack('>Q', epoch) + n.encode()
check(signer == hashlib.sha256(public).digest()[:16], 'signer')
Ed25519PublicKey.from_public_bytes(public).verify(sig, b'cdr1/signed-object\0' + aad(3, name) + hashlib.sha384(body).digest())
# 2. Keys
kek = base64.b64decode(pathlib.Path(key_file).read_text().split()[1])
wraps = {w['key']: w for w in (canonical(p.read_bytes()) for p in (root / 'keys' / kid.hex()).iterdir())}
wrap = wraps.get('local-file:' + hkdf(kek, 'cdr1/local-key-id', 16).hex()); check(wrap, 'key file')
ek = floe(kek, f'cdr1|{repo}|{kid.hex()}|{epoch}'.encode(), base64.b64decode(wrap['wrapped']))
check(hkdf(ek, 'cdr1/kid', 16) == kid, 'kid')
id_key, pack_key, meta_key = (hkdf(ek, 'cdr1/' + n, 32) for n in ('id', 'pack', 'meta'))
ident = lambda tag, data: blake3.blake3(bytes([tag]) + data, key=id_key).digest()
# 3. Manifest
m = canonical(floe(meta_key, aad(3, name), body)); check(m['format']['major'] == 1, 'format')
check((m['repo'], m['kid'], m['epoch'], f"manifests/{m['cluster']['id']}/{m['backupId']}") == (repo, kid.hex(), str(epoch), name), 'identity')
# 4. Indexes
places = {}
for i in m['index']:
    n = f"index/{epoch}/{i['id']}"; f = floe(meta_key, aad(2, n), (root / n).read_bytes())
    check(f[:5] == b'CDRI\1' and len(f) == 9 + 60 * struct.unpack('>I', f[5:9])[0], 'index')
    for at in range(9, len(f), 60): places[f[at:at + 32]] = (f[at + 32:at + 48].hex(), *struct.unpack('>III', f[at + 48:at + 60]))

def blob(blob_id):
    pack, offset, stored, plain_bytes = places[blob_id]; n = f'packs/{pack[:2]}/{pack}'
    b = floe(pack_key, aad(1, n), (root / n).read_bytes())[offset:offset + stored]
    length, at = varint(b, 1); data, at = framed(b, at); check(at == len(b) and length == plain_bytes, 'blob')
    plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=length) if b[0] else data
    check(len(plain) == length and ident(0, plain) == blob_id, 'blob id'); return plain

# 5. to 7. Ranges
result = {}
for r in m['ranges']:
    ids = b''.join(blob(bytes.fromhex(x)) for x in r['lists']); files = [ids[i:i + 32] for i in range(0, len(ids), 32)]
    check(len(files) == r['files'] and ident(2, ids).hex() == r['root'], 'list root')
    at, before = bytes.fromhex(r['begin']), len(result)
    for f in files:
        begin, end, records = range_file(blob(f)); check(begin == at, 'chain'); at = end
        result.update((k.hex(), v.hex()) for k, v in records)
    check(at == (None if r['end'] is None else bytes.fromhex(r['end'])) and len(result) - before == r['records'], 'chain end')
print(json.dumps(result))
